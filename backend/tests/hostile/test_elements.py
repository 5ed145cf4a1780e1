"""T23: broken elements, found by looking for the worst that a parser could meet."""

from itertools import islice

from fuzz.pipeline import Pipeline
from fuzz.targets.elements import broken

COUNT = 1_000


def test_broken_elements_break_nothing(pipeline: Pipeline) -> None:
    for data in islice(broken(23), COUNT):
        pipeline.process(data)
