"""The index of the data directory and the files behind it. Knows no HTTP; files are read, never changed."""
