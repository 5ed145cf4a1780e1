"""Arranging a series takes time in proportion to its instances, however they come, and is never forgotten."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from imageserver.archive import batches, summaries
from imageserver.archive.batches import Stopped
from imageserver.archive.files import DataDirectory
from imageserver.archive.index_writer import Outcome
from imageserver.archive.indexing import Indexer
from imageserver.archive.lease import Lease
from imageserver.archive.models import File, IndexState, Instance, Series
from imageserver.archive.volumes import get_index_status
from imageserver.database import Database
from tests.builders import volume
from tests.folders import Folder

Look = Callable[..., Outcome]


@pytest.fixture
def arranged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many instances each arrangement was made of."""
    sizes: list[int] = []
    summarise = summaries._summary

    def note(modality: str | None, instances: list[object], conflicts: list[str]) -> dict[str, Any]:
        sizes.append(len(instances))
        return summarise(modality, instances, conflicts)

    monkeypatch.setattr(summaries, "_summary", note)
    return sizes


def slices_by_series(database: Database) -> dict[str, tuple[int, bool]]:
    with database.reading() as session:
        rows = session.execute(select(Series.series_instance_uid, Series.slice_count, Series.is_stale))
        return {uid: (count, is_stale) for uid, count, is_stale in rows}


def instances_by_series(database: Database) -> dict[str, int]:
    statement = select(Series.series_instance_uid, func.count()).join(
        Instance, Instance.series_id == Series.id
    )
    with database.reading() as session:
        return dict(session.execute(statement.group_by(Series.series_instance_uid)).all())


def assert_all_arranged(database: Database) -> None:
    wanted = {uid: (count, False) for uid, count in instances_by_series(database).items()}
    assert slices_by_series(database) == wanted


class TestCost:
    def test_a_large_series_is_not_arranged_after_each_batch(
        self,
        database: Database,
        folder: Folder,
        look: Look,
        arranged: list[int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(batches, "BATCH_FILES", 4)
        folder.write_all(volume(100))
        look()
        assert_all_arranged(database)
        assert sum(arranged) <= 3 * 100  # 25 batches would make 1,300

    def test_many_series_may_come_mixed(
        self,
        database: Database,
        folder: Folder,
        look: Look,
        arranged: list[int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(batches, "BATCH_FILES", 5)
        names = list(range(10 * 20))
        random.Random(1).shuffle(names)
        for number in range(10):
            for one in volume(20, series=f"series {number}"):
                folder.write(f"mixed{names.pop():04}", one)
        look()
        assert len(slices_by_series(database)) == 10
        assert_all_arranged(database)
        assert sum(arranged) <= 3 * 200

    def test_one_more_file_is_seen_at_the_end_of_its_look(
        self, database: Database, folder: Folder, look: Look
    ) -> None:
        slices = volume(30)
        folder.write_all(slices[:29])
        look()
        folder.write("the last one", slices[29])
        look()
        assert_all_arranged(database)


class TestAfterAStop:
    def stopped(
        self, database: Database, directory: DataDirectory, monkeypatch: pytest.MonkeyPatch, files: int
    ) -> None:
        """Look, and stop when so many files are read."""
        monkeypatch.setattr(batches, "BATCH_FILES", 4)
        lease = Lease(database)
        assert lease.take()
        indexer = Indexer(database, directory, lease)
        indexer.is_stopped = lambda: indexer.progress.read >= files
        with pytest.raises(Stopped):
            indexer.look()
        lease.release()

    def test_the_next_process_arranges_what_was_left(
        self,
        database: Database,
        directory: DataDirectory,
        folder: Folder,
        look: Look,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        folder.write_all(volume(28))
        self.stopped(database, directory, monkeypatch, 28)
        ((count, is_stale),) = slices_by_series(database).values()
        assert (count < 28, is_stale) == (True, True)
        assert sum(instances_by_series(database).values()) == 28
        look()
        assert_all_arranged(database)


def test_the_counts_are_those_of_the_files(
    database: Database, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_FILES", 3)
    folder.write_all(volume(10))
    folder.write_all(volume(4), prefix="copy/slice")
    folder.write("junk", b"not an image, but long enough to be looked at twice" * 9)
    look()
    (folder.path / "slice0003").unlink()
    folder.write("slice0004", volume(10)[4])
    folder.write("junk too", b"not an image, but long enough to be looked at twice" * 9)
    look()
    with database.reading() as session:
        states = dict(session.execute(select(File.state, func.count()).group_by(File.state)).all())
        status = get_index_status(session)
        assert session.scalar(select(IndexState.pending)) == 0
    assert status.indexed == states["indexed"] + states["duplicate"]
    assert status.refused == states["refused"] == 2
