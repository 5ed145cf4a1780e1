"""Broken files beside a good volume in the data directory: each answer of the API is 2xx or 4xx (T22)."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fuzz.campaign import Campaign, Fault
from fuzz.mutation import break_elements, flip_bits
from fuzz.report import Options, Report
from fuzz.seeds import synthetic
from fuzz.served import Served, serve
from fuzz.targets.bit_flips import header_length
from tests.builders import to_bytes, uid, volume

COUNT = 5_000
SLOWEST_SECONDS = 60.0  # for a batch of files
GROWTH_MIB = 128.0
BATCH = 50
GOOD_SLICES = 3


def run(options: Options) -> Report:
    """Put broken files into the folder by batches, ask for everything, and take them away again."""
    campaign = Campaign(options, slowest_seconds=SLOWEST_SECONDS, growth_mib=GROWTH_MIB, inputs_at_once=BATCH)
    with tempfile.TemporaryDirectory(prefix="imageserver-fuzz-") as folder, serve(Path(folder)) as served:
        write_good_volume(served)
        for batch in batches(options.seed):
            if campaign.is_over():
                break
            campaign.try_one(b"".join(batch), lambda batch=batch: try_batch(served, batch, campaign.report))  # type: ignore[misc]
    return campaign.finish()


def write_good_volume(served: Served) -> None:
    """Write the volume that must stay as it is, whatever lies beside it."""
    for number, dataset in enumerate(volume(GOOD_SLICES, series="good")):
        served.write(f"good{number}", to_bytes(dataset))


def try_batch(served: Served, batch: list[bytes], report: Report) -> str:
    """Index a batch of broken files, ask for everything, and remove them."""
    paths = [served.write(f"broken{number}", data) for number, data in enumerate(batch)]
    try:
        served.look()
        report.outcomes.update(served.ask_everything())
        answer = served.get("/slice", series=uid("good"))
        if answer.status_code != 200 or answer.headers["X-Slice-Count"] != str(GOOD_SLICES):
            raise Fault("broken files changed the volume beside them")
    finally:
        for path in paths:
            path.unlink()
    return "batches"


def batches(seed: int) -> Iterator[list[bytes]]:
    """Yield broken files without end: some with a series of their own, some as siblings in one series."""
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    seeds = list(synthetic().values())
    number = 0
    while True:
        batch = []
        for _ in range(BATCH):
            number += 1
            data = renamed(chance.choice(seeds), number, chance.choice((number, number // BATCH)))
            is_flip = chance.random() < 0.4
            batch.append(
                flip_bits(data, chance, header_length(data))
                if is_flip
                else break_elements(data, chance, seeds)
            )
        yield batch


def renamed(data: bytes, instance: int, series: int) -> bytes:
    """Return a synthetic file with other UIDs of the same length, so that it does not contradict the others."""
    for old, number in ((uid("series", 1), instance), (uid("series"), series)):
        new = old[:-9] + f"{number:09}"
        data = data.replace(old.encode(), new.encode())
    return data
