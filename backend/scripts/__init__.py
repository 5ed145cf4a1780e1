"""The launchers behind `make`: only the Python standard library, so that they run before anything is installed."""
