"""Speed and memory against the bare minimum: ``python -m benchmarks``, or ``make bench`` in the top folder.

Every figure is a ratio of two medians of one run on one machine, taken in turns, so that a busy neighbour disturbs
both. The data is made up on the fly.
"""
