"""Hostile input in large numbers: ``python -m fuzz TARGET``; without a target, the list of them.

The suite tries a sample of the same inputs at each commit (tests/hostile). Here they are tried at full size, at night
or before a release; each target is a module of `fuzz.targets` and fails with exit code 1 where a criterion is missed.
"""
