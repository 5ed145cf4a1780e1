"""Deleting and storing while the index is being kept, or after it was made anew."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from imageserver.archive import indexing
from imageserver.archive.deletions import Wanted, find_deleted
from imageserver.archive.files import DataDirectory
from imageserver.archive.indexing import look_once
from imageserver.archive.listing import Listing, list_directory
from imageserver.archive.managed_store import Store
from imageserver.archive.models import Deletion, Instance
from imageserver.archive.store_outcomes import StoreState
from imageserver.archive.storing import forget_everything
from imageserver.database import Database
from imageserver.settings import Settings
from tests.builders import image, to_bytes, uid
from tests.folders import Folder
from tests.storing import files_in

STUDY = uid("study of", "series")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a store."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store"})


@pytest.fixture
def directory(settings: Settings) -> DataDirectory:
    return DataDirectory(settings.data_dir, settings.store_dir)


@pytest.fixture
def store(settings: Settings, database: Database, directory: DataDirectory) -> Iterator[Store]:
    store = Store(settings, database, directory)
    yield store
    store.close()


def delete(store: Store) -> None:
    assert store.trash.delete(Wanted(STUDY), "ada", lambda *_: None)


def shown(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Instance.sop_instance_uid)))


def look(database: Database, directory: DataDirectory) -> str:
    outcome = look_once(database, directory, take_over=True)
    assert outcome is not None
    return outcome.state


class TestWhileTheFolderIsListed:
    """What happens in the moment between reading the rows and comparing them with the files."""

    @pytest.fixture
    def meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        def arrange(before: Callable[[], object], after: Callable[[], object] = lambda: None) -> None:
            happened: list[bool] = []

            def list_once(directory: DataDirectory) -> Listing:
                if happened:
                    return list_directory(directory)
                happened.append(True)
                before()
                found = list_directory(directory)
                after()
                return found

            monkeypatch.setattr(indexing, "list_directory", list_once)

        return arrange

    @pytest.mark.parametrize("has_data", [True, False])
    def test_the_last_instance_is_deleted(
        self,
        store: Store,
        folder: Folder,
        database: Database,
        directory: DataDirectory,
        meanwhile: Callable[..., None],
        has_data: bool,
    ) -> None:
        if has_data:
            folder.write("a", image(series="other"))
        store.store_instance([to_bytes(image())])
        look(database, directory)
        meanwhile(lambda: delete(store))
        assert look(database, directory) == "ready"
        assert shown(database) == ([uid("other", 1)] if has_data else [])

    def test_it_is_stored_again(
        self,
        store: Store,
        folder: Folder,
        database: Database,
        directory: DataDirectory,
        meanwhile: Callable[..., None],
    ) -> None:
        folder.write("a", image(series="other"))
        store.store_instance([to_bytes(image(PatientName="Doe^Jane"))])
        look(database, directory)
        corrected = to_bytes(image(PatientName="Roe^Jane"))
        states = []
        meanwhile(lambda: delete(store), lambda: states.append(store.store_instance([corrected]).state))
        indexing_keeps_looking = look(database, directory)
        assert (states, indexing_keeps_looking) == ([StoreState.STORED], "ready")
        assert sorted(shown(database)) == sorted([uid("other", 1), uid("series", 1)])


class TestIndexMadeAnew:
    def test_what_was_stored_after_a_deletion_is_shown(
        self, store: Store, settings: Settings, database: Database, directory: DataDirectory
    ) -> None:
        deleted, corrected = (to_bytes(image(PatientName=name)) for name in ("Doe^Jane", "Roe^Jane"))
        assert len(deleted) == len(corrected)
        store.store_instance([deleted])
        delete(store)
        assert store.store_instance([corrected]).state is StoreState.STORED
        with database.writing() as session:
            forget_everything(session)
        store.trash.sweep(30, lambda *_: None)
        look(database, directory)
        store.trash.sweep(30, lambda *_: None)
        assert shown(database) == [uid("series", 1)]
        assert [path.read_bytes() for path in files_in(settings)] == [corrected]
        assert [path.read_bytes() for path in files_in(settings, ".trash")] == [deleted]

    @pytest.mark.parametrize("has_checksum", [True, False])
    def test_what_a_deletion_has_still_to_move_stays_hidden(
        self,
        store: Store,
        settings: Settings,
        database: Database,
        directory: DataDirectory,
        monkeypatch: pytest.MonkeyPatch,
        has_checksum: bool,
    ) -> None:
        store.store_instance([to_bytes(image())])
        with monkeypatch.context() as patch:
            patch.setattr(store.trash, "_move", lambda *_: None)
            delete(store)
        with database.writing() as session:
            forget_everything(session)
            [note] = session.query(Deletion).all()
            note.sha256 = note.sha256 if has_checksum else None
        look(database, directory)
        assert shown(database) == []
        store.trash.sweep(30, lambda *_: None)
        assert files_in(settings) == []
        with database.reading() as session:
            [deletion] = find_deleted(session)
        store.trash.restore(deletion, lambda *_: None)
        assert shown(database) == [uid("series", 1)]
