"""T47, T48: a SOP Instance UID has one row and one instance, whoever indexes, however many at once."""

import hashlib
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from fuzz.indexing import Worker, count_rows, shown_digest, write
from fuzz.targets import indexing_at_once
from imageserver.archive import reading
from imageserver.archive.files import DataDirectory, FoundFile
from imageserver.archive.models import File, Series
from imageserver.settings import Settings
from tests.builders import uid

PAIRS = 20
ROUNDS = 10


@pytest.fixture
def workers(settings: Settings, database_url: str) -> Iterator[list[Worker]]:
    """Four processes on one database and one folder."""
    workers = [Worker(database_url, settings.data_dir) for _ in range(4)]
    yield workers
    for worker in workers:
        worker.end()


def test_t47_the_first_stays_also_after_a_restart(settings: Settings, database_url: str) -> None:
    folder = settings.data_dir
    first = {}
    for number in range(PAIRS):
        content = write(folder, f"b{number}", f"pair {number}", "FIRST")
        first[uid(f"pair {number}", 1)] = hashlib.sha256(content).hexdigest()
    for second in (None, "SECOND", None):  # then a restart with nothing new
        for number in range(PAIRS if second else 0):
            write(folder, f"a{number}", f"pair {number}", second or "")  # by name it would come first
        worker = Worker(database_url, folder)
        assert worker.look() == "looked"
        assert {uid: shown_digest(worker.database, folder, uid) for uid in first} == first
        worker.end()
    worker = Worker(database_url, folder)
    with worker.database.reading() as session:
        states = session.scalars(select(File.state).where(File.instance_id.is_(None))).all()
        warnings = session.scalars(select(Series.warnings)).all()
    worker.end()
    assert states == ["conflict"] * PAIRS
    assert [[entry["code"] for entry in found] for found in warnings] == [
        ["sop_instance_uid_conflict"]
    ] * PAIRS


def test_t48_many_at_once(workers: list[Worker], settings: Settings) -> None:
    for number in range(ROUNDS):
        indexing_at_once.one_round(workers, settings.data_dir, number)
    assert count_rows(workers[0].database) == (ROUNDS * indexing_at_once.FILES, ROUNDS, ROUNDS, ROUNDS)


def test_no_file_is_read_twice_by_workers_that_start_together(
    workers: list[Worker], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_file, reads = reading.read_file, []

    def read(directory: DataDirectory, found: FoundFile) -> reading.ReadFile:
        reads.append(found.path)
        return read_file(directory, found)

    monkeypatch.setattr(reading, "read_file", read)
    for number in range(40):
        write(settings.data_dir, f"file{number:02}", f"series {number}")
    outcomes = indexing_at_once.look_at_once(workers, with_force=False)
    assert sorted(reads) == [f"file{number:02}".encode() for number in range(40)]
    assert outcomes == {"looked": 1, "left to another": 3}


def test_a_worker_that_takes_over_goes_on_where_the_other_ended(
    workers: list[Worker], settings: Settings
) -> None:
    for number in range(40):
        write(settings.data_dir, f"file{number:02}", f"series {number}")
    for _ in range(5):
        indexing_at_once.look_at_once(workers, with_force=True)
    for worker in workers:
        worker.look()
    assert count_rows(workers[0].database) == (40, 40, 40, 40)
