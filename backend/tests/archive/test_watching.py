"""The thread that keeps the index: it follows the folder by itself, and outlives every failure."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imageserver.archive import index_writer, indexing, watching
from imageserver.archive.catalogue import Catalogue
from imageserver.archive.files import DataDirectory
from imageserver.archive.index_writer import Outcome
from imageserver.archive.lease import Lease
from imageserver.archive.watching import IndexKeeper
from imageserver.database import Database
from imageserver.errors import DatabaseUnavailable
from tests.archive.test_indexing import status
from tests.builders import image, volume
from tests.folders import Folder

MakeKeeper = Callable[..., IndexKeeper]


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def make_keeper(database: Database, directory: DataDirectory) -> Iterator[MakeKeeper]:
    """Function that starts a keeper; all are stopped at the end."""
    keepers: list[IndexKeeper] = []

    def make(folder: Path | None = None) -> IndexKeeper:
        keeper = IndexKeeper(database, DataDirectory(folder) if folder else directory, Catalogue(database))
        keepers.append(keeper)
        keeper.start()
        return keeper

    yield make
    for keeper in keepers:
        keeper.stop()


def test_what_is_there_at_the_start(database: Database, folder: Folder, make_keeper: MakeKeeper) -> None:
    folder.write_all(volume(3))
    make_keeper()
    wait_for(lambda: status(database)[:4] == ("ready", 3, 3, 0))


def test_a_new_file_appears_without_a_regular_look(
    database: Database, folder: Folder, make_keeper: MakeKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "RESCAN_SECONDS", 600.0)
    keeper = make_keeper()
    wait_for(lambda: status(database).state == "ready")

    def is_watching() -> bool:  # it begins in a thread of its own
        folder.write("probe", b"junk")
        return keeper._looks_begun > 1

    wait_for(is_watching)
    wait_for(lambda: status(database)[:4] == ("ready", 1, 0, 1))
    time.sleep(1)  # so that what follows is seen by itself
    folder.write("deep/new", image())
    wait_for(lambda: status(database)[:4] == ("ready", 2, 1, 1))
    (folder.path / "deep" / "new").unlink()
    folder.write("other", image(series="other"))
    wait_for(lambda: status(database)[:4] == ("ready", 2, 1, 1))


def test_a_new_file_appears_without_events(
    database: Database, folder: Folder, make_keeper: MakeKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_keeper: IndexKeeper) -> None:
        raise OSError("no space left for watches")

    monkeypatch.setattr(IndexKeeper, "_watch_once", refuse)
    monkeypatch.setattr(watching, "RESCAN_SECONDS", 0.2)
    make_keeper()
    wait_for(lambda: status(database).state == "ready")
    folder.write("new", image())
    wait_for(lambda: status(database)[:4] == ("ready", 1, 1, 0))


def test_a_file_that_grows_appears_when_it_is_complete(
    database: Database, folder: Folder, make_keeper: MakeKeeper
) -> None:
    keeper = make_keeper()
    # Longer than a busy machine lets the writer wait between two pieces.
    keeper.indexer.settling.seconds = 8.0
    path = folder.write("whole", image())
    content = path.read_bytes()
    path.unlink()
    with (folder.path / "growing").open("wb") as file:
        for start in range(0, len(content), len(content) // 8):
            file.write(content[start : start + len(content) // 8])
            file.flush()
            assert status(database).refused == 0
            time.sleep(0.1)
    wait_for(lambda: status(database)[:4] == ("ready", 1, 1, 0))


def test_a_folder_that_appears_later(
    database: Database, tmp_path: Path, make_keeper: MakeKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "RESCAN_SECONDS", 0.2)
    make_keeper(tmp_path / "later")
    wait_for(lambda: status(database).state == "unavailable")
    Folder(tmp_path / "later").write("a", image())
    wait_for(lambda: status(database)[:4] == ("ready", 1, 1, 0))


def test_it_outlives_failures(
    database: Database, folder: Folder, make_keeper: MakeKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "RETRY_SECONDS", 0.05)
    failures = [DatabaseUnavailable("away"), ZeroDivisionError("a mistake of ours")]
    look = indexing.Indexer.look

    def fail_at_first(indexer: indexing.Indexer) -> Outcome:
        if failures:
            raise failures.pop()
        return look(indexer)

    monkeypatch.setattr(indexing.Indexer, "look", fail_at_first)
    folder.write_all(volume(2))
    make_keeper()
    wait_for(lambda: status(database)[:4] == ("ready", 2, 2, 0))
    assert failures == []


def test_no_value_of_a_file_gets_into_the_log(
    folder: Folder,
    database: Database,
    make_keeper: MakeKeeper,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(watching, "RETRY_SECONDS", 0.05)

    name = "Secret" + "^Name"  # a trace shows the line that raises

    def fail(*_arguments: object) -> None:
        raise ValueError(name)

    with monkeypatch.context() as patch:
        patch.setattr(index_writer, "add_files", fail)
        folder.write("a", image(PatientName=name))
        make_keeper()
        wait_for(lambda: "unexpected error while indexing" in caplog.text)
    wait_for(lambda: status(database).indexed == 1)
    assert "Secret" not in caplog.text


def test_another_process_takes_over(
    database: Database, folder: Folder, make_keeper: MakeKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "RETRY_SECONDS", 0.05)
    first = make_keeper()
    wait_for(lambda: status(database).state == "ready")
    make_keeper()
    first.stop()
    folder.write_all(volume(2))
    wait_for(lambda: status(database)[:4] == ("ready", 2, 2, 0))


def test_a_lease_taken_by_force_comes_back(
    database: Database, folder: Folder, make_keeper: MakeKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "RETRY_SECONDS", 0.05)
    keeper = make_keeper()
    wait_for(lambda: status(database).state == "ready")
    thief = Lease(database)
    assert thief.take(by_force=True)
    assert not keeper.look_and_wait(0.3)
    thief.release()
    folder.write("a", image())
    assert keeper.look_and_wait(60)
    assert status(database).indexed == 1
