"""What an administrator does beside the running server: one file per command."""
