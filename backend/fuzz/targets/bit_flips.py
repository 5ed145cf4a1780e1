"""Files with 1 to 16 flipped bits, all the way from reading to the picture (T22)."""

import random
from collections.abc import Iterator

from fuzz.mutation import flip_bits
from fuzz.pipeline_campaign import LARGEST_SEED, run_through_pipeline
from fuzz.report import Options, Report
from fuzz.seeds import bundled, synthetic

COUNT = 100_000


def run(options: Options) -> Report:
    """Flip bits of all seeds in turn."""
    return run_through_pipeline(options, flipped(options.seed))


def flipped(seed: int) -> Iterator[bytes]:
    """Yield damaged files without end."""
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    seeds = [*synthetic().values(), *bundled(LARGEST_SEED).values()]
    while True:
        for data in seeds:
            yield flip_bits(data, chance, header_length(data))


def header_length(data: bytes) -> int:
    """Return about where the pixel data begins, by the last place that looks like its tag; else the whole file."""
    at = max(data.rfind(b"\xe0\x7f\x10\x00"), data.rfind(b"\x7f\xe0\x00\x10"))
    return at if at > 0 else len(data)
