"""Kill -9 in the middle of storing: what was acknowledged must be there, what is there must be whole.

``python -m fuzz.kills --kills 200`` prints figures. Each round stores from eight threads in a process of its own, which
is killed at a random moment; then the folders and the index are opened as a start does it, and compared. The page
cache outlives the process, so this says nothing about a power cut.
"""

import argparse
import hashlib
import io
import multiprocessing
import os
import random
import tempfile
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from sqlalchemy import select

from imageserver.archive.files import STORE_ROOT, DataDirectory
from imageserver.archive.indexing import look_once
from imageserver.archive.managed_store import Store
from imageserver.archive.models import File, Instance
from imageserver.database import Database
from imageserver.migrations import migrate
from imageserver.settings import Settings

THREADS = 8
MOST_ROWS = 512
LATEST = 1.5  # seconds


@dataclass
class Figures:
    """What was seen in all rounds."""

    kills: int = 0
    acknowledged: int = 0
    missing: int = 0
    changed: int = 0
    half_visible: int = 0
    orphans: int = 0
    slowest_start: float = 0.0

    @property
    def is_well(self) -> bool:
        """Whether nothing was lost, changed, half-visible or left behind."""
        return not (self.missing or self.changed or self.half_visible or self.orphans)


def instance(number: int, rows: int) -> bytes:
    """Return a file; another one for another number."""
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = f"2.25.{number}"
    dataset.StudyInstanceUID = "2.25.1"
    dataset.SeriesInstanceUID = f"2.25.{number % 5 + 2}"
    dataset.PatientID, dataset.InstanceNumber, dataset.Modality = "KILL", number % 10_000, "CT"
    dataset.Rows = dataset.Columns = rows
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 15, 0, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = np.full((rows, rows), number % 65_536, np.uint16).tobytes()
    dataset["PixelData"].VR = "OW"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = io.BytesIO()
    dcmwrite(stream, FileDataset("", dataset, preamble=bytes(128), file_meta=meta), enforce_file_format=True)
    return stream.getvalue()


def settings_in(folder: Path) -> Settings:
    """Return settings with all folders beneath one."""
    return Settings(data_dir=folder / "data", state_dir=folder / "state", store_dir=folder / "store")


def open_store(folder: Path) -> tuple[Store, Database]:
    """Open what a server has."""
    settings = settings_in(folder)
    database = Database(settings.effective_database_url)
    directory = DataDirectory(folder / "data", folder / "store")
    return Store(settings, database, directory), database


def store_until_killed(folder: Path, seed: int, told: Connection, database_url: str) -> None:
    """Store, and tell of each instance when it is acknowledged."""
    os.environ["IMAGESERVER_DATABASE_URL"] = database_url
    store, _ = open_store(folder)
    telling = threading.Lock()

    def work(number_of_thread: int) -> None:
        choose = random.Random(seed * THREADS + number_of_thread)  # noqa: S311 - repeatable
        while True:
            numbers = [choose.randrange(100, 10**9) for _ in range(choose.randint(1, 6))]
            contents = [instance(number, choose.randint(8, MOST_ROWS)) for number in numbers]
            with store.run() as run:
                for content in contents:
                    run.receive([content[:1000], content[1000:]])
                run.commit()
            with telling:
                told.send(
                    [(n, hashlib.sha256(c).hexdigest()) for n, c in zip(numbers, contents, strict=True)]
                )

    store.open()
    told.send([])
    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()  # without this the process would begin to end


def kill_one(folder: Path, seed: int, acknowledged: dict[str, str]) -> None:
    """Let a process store, kill it, and note what it acknowledged."""
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    ours, theirs = context.Pipe(duplex=False)
    # The server of processes has the environment of whoever started it first.
    database_url = os.environ.get("IMAGESERVER_DATABASE_URL", "")
    process = context.Process(target=store_until_killed, args=(folder, seed, theirs, database_url))
    process.start()
    theirs.close()
    ours.recv()
    if seed % 2:  # every other time only after something was acknowledged, however busy the machine is
        acknowledged.update({f"2.25.{number}": digest for number, digest in ours.recv()})
    until = time.monotonic() + random.Random(seed).uniform(0.0, LATEST)  # noqa: S311 - repeatable
    while (left := until - time.monotonic()) > 0:
        if ours.poll(left):
            acknowledged.update({f"2.25.{number}": digest for number, digest in ours.recv()})
    process.kill()
    process.join()
    try:
        while True:
            acknowledged.update({f"2.25.{number}": digest for number, digest in ours.recv()})
    except (EOFError, OSError):
        ours.close()


def compare(folder: Path, acknowledged: dict[str, str], figures: Figures) -> None:
    """Start as a server does, and compare what there is with what was acknowledged."""
    began = time.monotonic()
    store, database = open_store(folder)
    store.open()
    look_once(database, DataDirectory(folder / "data", folder / "store"), take_over=True)
    figures.slowest_start = max(figures.slowest_start, time.monotonic() - began)
    files = {}
    incoming = 0
    for path in (folder / "store").rglob("*"):
        if path.is_file():
            name = path.relative_to(folder / "store")
            if name.parts[0].startswith("."):
                incoming += 1
            else:
                files[STORE_ROOT + os.fsencode(name)] = hashlib.sha256(path.read_bytes()).hexdigest()
    with database.reading() as session:
        columns = (File.path, File.sha256, Instance.sop_instance_uid)
        rows = session.execute(select(*columns).join(Instance, File.instance_id == Instance.id)).all()
    visible = {row[2]: files.get(row[0]) for row in rows}
    figures.kills += 1
    figures.acknowledged = len(acknowledged)
    figures.missing += sum(uid not in visible for uid in acknowledged)
    figures.changed += sum(visible.get(uid, digest) != digest for uid, digest in acknowledged.items())
    figures.half_visible += sum(
        files.get(row[0]) is None or row[1] not in (None, files[row[0]]) for row in rows
    )
    figures.orphans += incoming + len(files.keys() - {row[0] for row in rows})
    store.close()
    database.dispose()


def run(folder: Path, kills: int, seed: int = 0) -> Figures:
    """Kill so many times, over the same folders."""
    (folder / "data").mkdir()
    (folder / "state").mkdir()
    database = Database(settings_in(folder).effective_database_url)
    migrate(database)
    database.dispose()
    acknowledged: dict[str, str] = {}
    figures = Figures()
    for number in range(kills):
        kill_one(folder, seed + number, acknowledged)
        compare(folder, acknowledged, figures)
    return figures


def main() -> int:
    """Run as a command; 1 where something was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="for the files; default: a temporary one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        figures = run(Path(folder), arguments.kills, arguments.seed)
    print(figures)
    return 0 if figures.is_well else 1


if __name__ == "__main__":
    raise SystemExit(main())
