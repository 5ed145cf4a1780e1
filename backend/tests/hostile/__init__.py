"""Hostile input: a sample of what `fuzz` tries at full size, at each commit."""
