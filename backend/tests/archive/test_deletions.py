"""What is hidden stays hidden, also when the note of a file of the store is purged (docs/decisions/0079)."""

import os
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from imageserver.archive import reading_rules
from imageserver.archive.deletions import DeletedInstance, Wanted, find_deleted
from imageserver.archive.files import DataDirectory
from imageserver.archive.indexing import look_once
from imageserver.archive.managed_store import Store
from imageserver.archive.models import File, Instance
from imageserver.archive.store_outcomes import StoreState
from imageserver.database import Database
from imageserver.settings import Settings
from tests.builders import image, to_bytes, uid
from tests.storing import files_in

STUDY = uid("study of", "series")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a store."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store"})


@pytest.fixture
def store(settings: Settings, database: Database) -> Iterator[Store]:
    made = Store(settings, database, DataDirectory(settings.data_dir, settings.store_dir))
    yield made
    made.close()


class TestCopyInTheDataDirectory:
    """An instance is stored, and copied into the data directory as well; then it is deleted."""

    @pytest.fixture(autouse=True)
    def deleted(self, store: Store, settings: Settings, database: Database) -> DeletedInstance:
        store.store_instance([to_bytes(image())])
        for name in ("copy", "another copy"):
            (settings.data_dir / name).write_bytes(to_bytes(image()))
            os.utime(settings.data_dir / name, (1, 1))
        look(settings, database)
        [deleted] = store.trash.delete(Wanted(STUDY), "ada", lambda *_: None)
        look(settings, database)
        assert shown(database) == []
        return deleted

    @pytest.mark.parametrize("times", [1, 2])
    def test_stays_hidden_after_the_trash_was_purged(
        self,
        store: Store,
        settings: Settings,
        database: Database,
        times: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for _ in range(times):
            store.trash.sweep(0, lambda *_: None)
        assert files_in(settings, ".trash") == []
        monkeypatch.setattr(reading_rules, "READING_VERSION", 10_000)  # everything is read again
        look(settings, database)
        assert shown(database) == []
        assert codes(database) == {b"copy": "deleted", b"another copy": "deleted"}

    def test_can_still_be_restored(self, store: Store, settings: Settings, database: Database) -> None:
        store.trash.sweep(0, lambda *_: None)
        [left] = deletions(database)
        assert (left.trash, left.deleted_by, left.study_instance_uid) == (None, "ada", STUDY)
        store.trash.restore(left, lambda *_: None)
        look(settings, database)
        assert shown(database) == [uid("series", 1)]
        assert deletions(database) == []

    def test_what_is_stored_anew_is_shown(
        self, store: Store, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.trash.sweep(0, lambda *_: None)
        other = to_bytes(image(PatientName="Roe^Richard"))
        assert store.store_instance([other]).state is StoreState.STORED
        monkeypatch.setattr(reading_rules, "READING_VERSION", 10_000)
        look(settings, database)
        assert shown(database) == [uid("series", 1)]
        assert [path.read_bytes() for path in files_in(settings)] == [other]

    def test_an_instance_without_a_copy_leaves_no_note(
        self, store: Store, settings: Settings, database: Database
    ) -> None:
        store.store_instance([to_bytes(image(series="alone"))])
        store.trash.delete(Wanted(uid("study of", "alone")), "ada", lambda *_: None)
        store.trash.sweep(0, lambda *_: None)
        assert [one.study_instance_uid for one in deletions(database)] == [STUDY]


def look(settings: Settings, database: Database) -> None:
    look_once(database, DataDirectory(settings.data_dir, settings.store_dir), take_over=True)


def shown(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Instance.sop_instance_uid)))


def codes(database: Database) -> dict[bytes, str | None]:
    with database.reading() as session:
        return {row[0]: row[1] for row in session.execute(select(File.path, File.code))}


def deletions(database: Database) -> list[DeletedInstance]:
    with database.reading() as session:
        return find_deleted(session)


def test_what_finds_its_place_taken_stays_deleted(
    store: Store, settings: Settings, database: Database
) -> None:
    content = to_bytes(image())
    store.store_instance([content])
    [place] = files_in(settings)
    store.trash.delete(Wanted(STUDY), "ada", lambda *_: None)
    [deleted] = deletions(database)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"left over, and in no row")
    assert store.store_instance([content]).code == "conflict"
    assert deletions(database) == [deleted]
    assert [path.read_bytes() for path in files_in(settings, ".trash")] == [content]
