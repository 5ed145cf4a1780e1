"""Files with broken elements: VRs, lengths, tags, values at their edges, nesting; from reading to the picture (T23)."""

import random
from collections.abc import Iterator

from fuzz.mutation import break_elements
from fuzz.pipeline_campaign import LARGEST_SEED, run_through_pipeline
from fuzz.report import Options, Report
from fuzz.seeds import bundled, synthetic

COUNT = 200_000


def run(options: Options) -> Report:
    """Break elements of all seeds in turn."""
    return run_through_pipeline(options, broken(options.seed))


def broken(seed: int) -> Iterator[bytes]:
    """Yield damaged files without end."""
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    seeds = [*synthetic().values(), *bundled(LARGEST_SEED).values()]
    while True:
        for data in seeds:
            yield break_elements(data, chance, seeds)
