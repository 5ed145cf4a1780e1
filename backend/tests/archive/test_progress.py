"""How far a look at the data directory is."""

from collections.abc import Callable

import pytest

from imageserver.archive import batches, index_writer, progress
from imageserver.archive.index_writer import Outcome
from imageserver.archive.models import INDEX_STATE_ID, IndexState
from imageserver.archive.progress import Progress
from imageserver.archive.reading import ReadFile
from imageserver.database import Database
from tests.builders import volume
from tests.folders import Folder


def test_the_rest_takes_as_long_per_file_as_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    found = Progress(400)
    assert (found.pending, found.remaining_seconds) == (400, None)
    clock[0], found.read = 110.0, 100  # 10 files per second
    assert (found.pending, found.remaining_seconds) == (300, 30.0)
    found.read = 400
    assert (found.pending, found.remaining_seconds) == (0, None)


def test_the_first_moment_tells_nothing_about_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress.time, "monotonic", lambda: 100.0)
    found = Progress(400)
    found.read = 3
    assert found.remaining_seconds is None


def test_each_batch_is_told(
    database: Database, folder: Folder, look: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, bool]] = []

    def note() -> None:
        with database.reading() as session:
            state = session.get_one(IndexState, INDEX_STATE_ID)
            told.append((state.pending, state.remaining_seconds is not None))

    monkeypatch.setattr(batches, "BATCH_FILES", 2)
    monkeypatch.setattr(progress, "_TOO_EARLY_SECONDS", 0.0)
    store = index_writer.IndexWriter.store

    def store_and_note(self: index_writer.IndexWriter, files: list[ReadFile]) -> None:
        store(self, files)
        if files:
            note()

    monkeypatch.setattr(index_writer.IndexWriter, "store", store_and_note)
    folder.write_all(volume(5))
    look()
    assert told == [(3, True), (1, True), (0, False)]
    note()
    assert told[-1] == (0, False)
