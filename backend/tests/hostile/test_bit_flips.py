"""T22: flipped bits give a picture, or a refusal by name, and nothing that a database or an answer could not hold."""

from itertools import islice

from fuzz.pipeline import Pipeline
from fuzz.targets.bit_flips import flipped

COUNT = 2_000


def test_flipped_bits_break_nothing(pipeline: Pipeline) -> None:
    for data in islice(flipped(22), COUNT):
        pipeline.process(data)
