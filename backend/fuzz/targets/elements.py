"""Files with broken elements: VRs, lengths, tags, values at their edges, nesting; from reading to the picture (T23)."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fuzz.campaign import Campaign
from fuzz.mutation import break_elements
from fuzz.pipeline import Pipeline
from fuzz.report import Options, Report
from fuzz.seeds import bundled, synthetic

COUNT = 200_000
SLOWEST_SECONDS = 5.0
GROWTH_MIB = 64.0
_LARGEST_SEED = 64 * 1024


def run(options: Options) -> Report:
    """Break elements of all seeds in turn."""
    campaign = Campaign(options, slowest_seconds=SLOWEST_SECONDS, growth_mib=GROWTH_MIB)
    with tempfile.TemporaryDirectory(prefix="imageserver-fuzz-") as folder:
        pipeline = Pipeline(Path(folder))
        try:
            return campaign.run(broken(options.seed), pipeline.process)
        finally:
            pipeline.close()


def broken(seed: int) -> Iterator[bytes]:
    """Yield damaged files without end."""
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    seeds = [*synthetic().values(), *bundled(_LARGEST_SEED).values()]
    while True:
        for data in seeds:
            yield break_elements(data, chance, seeds)
