"""Files with 1 to 16 flipped bits, all the way from reading to the picture (T22)."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fuzz.campaign import Campaign
from fuzz.mutation import flip_bits
from fuzz.pipeline import Pipeline
from fuzz.report import Options, Report
from fuzz.seeds import bundled, synthetic

COUNT = 100_000
SLOWEST_SECONDS = 5.0
GROWTH_MIB = 64.0
_LARGEST_SEED = 64 * 1024


def run(options: Options) -> Report:
    """Flip bits of all seeds in turn."""
    campaign = Campaign(options, slowest_seconds=SLOWEST_SECONDS, growth_mib=GROWTH_MIB)
    with tempfile.TemporaryDirectory(prefix="imageserver-fuzz-") as folder:
        pipeline = Pipeline(Path(folder))
        try:
            return campaign.run(flipped(options.seed), pipeline.process)
        finally:
            pipeline.close()


def flipped(seed: int) -> Iterator[bytes]:
    """Yield damaged files without end."""
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    seeds = [*synthetic().values(), *bundled(_LARGEST_SEED).values()]
    while True:
        for data in seeds:
            yield flip_bits(data, chance, header_length(data))


def header_length(data: bytes) -> int:
    """Return about where the pixel data begins, by the last place that looks like its tag; else the whole file."""
    at = max(data.rfind(b"\xe0\x7f\x10\x00"), data.rfind(b"\x7f\xe0\x00\x10"))
    return at if at > 0 else len(data)
