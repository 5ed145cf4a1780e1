"""Damaged files, one after the other, all the way from reading to the picture."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from fuzz.campaign import Campaign
from fuzz.pipeline import Pipeline
from fuzz.report import Options, Report

SLOWEST_SECONDS = 5.0
GROWTH_MIB = 64.0
LARGEST_SEED = 64 * 1024


def run_through_pipeline(options: Options, files: Iterable[bytes]) -> Report:
    """Take each file through the pipeline, in a folder of its own."""
    campaign = Campaign(options, slowest_seconds=SLOWEST_SECONDS, growth_mib=GROWTH_MIB)
    with tempfile.TemporaryDirectory(prefix="imageserver-fuzz-") as folder:
        pipeline = Pipeline(Path(folder))
        try:
            return campaign.run(files, pipeline.process)
        finally:
            pipeline.close()
