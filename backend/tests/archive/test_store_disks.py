"""The disk of the store: full, away, back again."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from imageserver.archive import store_folder
from imageserver.archive.archive import Archive
from imageserver.archive.files import DataDirectory
from imageserver.archive.indexing import look_once
from imageserver.archive.managed_store import Store
from imageserver.archive.models import Instance
from imageserver.archive.store_folder import Disk, StoreFolder
from imageserver.archive.store_outcomes import FailureReason, StoreState
from imageserver.database import Database
from imageserver.errors import StoreFull, StoreUnavailable
from imageserver.settings import Settings
from tests.builders import image, to_bytes, volume
from tests.storing import files_in

MEBIBYTE = 1024 * 1024


class SmallDisk(Disk):
    """Has room for so many bytes, whoever writes them."""

    def __init__(self, room: int) -> None:
        self.room = room

    def free(self, _descriptor: int) -> int:  # type: ignore[override]
        return self.room

    def write(self, descriptor: int, data: memoryview) -> int:  # type: ignore[override]
        written = os.write(descriptor, data)
        self.room -= written
        return written


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a store."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store", "store_reserve_mib": 1})


@pytest.fixture
def store(settings: Settings, database: Database) -> Iterator[Store]:
    made = open_store(settings, database)
    yield made
    made.close()


def open_store(settings: Settings, database: Database) -> Store:
    return Store(settings, database, DataDirectory(settings.data_dir, settings.store_dir))


def folder_of(store: Store) -> StoreFolder:
    assert store._folder is not None
    return store._folder


def root_of(settings: Settings) -> Path:
    assert settings.store_dir is not None
    return settings.store_dir


def count_instances(database: Database) -> int:
    with database.reading() as session:
        return session.scalars(select(func.count()).select_from(Instance)).one()


class TestReserve:
    def test_what_fits_is_stored_and_the_rest_refused(
        self, store: Store, settings: Settings, database: Database
    ) -> None:
        made = [to_bytes(one) for one in volume(10)]
        disk = SmallDisk(MEBIBYTE + sum(map(len, made[:4])))
        folder_of(store).disk = disk
        outcomes = [store.store_instance([content]) for content in made]
        assert [one.state for one in outcomes] == [StoreState.STORED] * 4 + [StoreState.REFUSED] * 6
        assert {one.failure_reason for one in outcomes[4:]} == {FailureReason.OUT_OF_RESOURCES}
        assert {one.code for one in outcomes[4:]} == {"storage_full"}
        assert disk.room == MEBIBYTE
        assert store.state() == "full"
        assert (len(files_in(settings)), files_in(settings, ".incoming")) == (4, [])
        assert count_instances(database) == 4

    def test_it_goes_on_when_there_is_room_again(self, store: Store, settings: Settings) -> None:
        disk = SmallDisk(0)
        folder_of(store).disk = disk
        assert store.store_instance([to_bytes(image())]).state is StoreState.REFUSED
        with pytest.raises(StoreFull), store.run() as run:
            run.keep([b"bulk data"])
        disk.room = 10 * MEBIBYTE
        assert store.store_instance([to_bytes(image())]).state is StoreState.STORED
        assert store.state() == "ok"

    def test_the_rest_of_a_refused_file_is_not_written(self, store: Store) -> None:
        disk = SmallDisk(MEBIBYTE + 1000)
        folder_of(store).disk = disk
        left = iter([bytes(400)] * 1000)
        with store.run() as run:
            run.receive(left)
            assert run.commit()[0].code == "storage_full"
        assert next(left, None) is None  # read to its end: the next part may be a small one
        assert disk.room > MEBIBYTE

    def test_of_a_real_disk(self, settings: Settings, database: Database) -> None:
        free_mib = shutil.disk_usage(settings.state_dir).free // MEBIBYTE
        store = open_store(settings.model_copy(update={"store_reserve_mib": 2 * free_mib}), database)
        assert store.store_instance([to_bytes(image())]).failure_reason is FailureReason.OUT_OF_RESOURCES
        store.close()


class TestAway:
    @pytest.mark.parametrize("is_there", [True, False], ids=["empty", "gone"])
    def test_no_row_goes_and_nothing_is_stored(
        self, store: Store, settings: Settings, database: Database, is_there: bool
    ) -> None:
        with store.run() as run:
            for one in volume(30):
                run.receive([to_bytes(one)])
            run.commit()
        root, disk = root_of(settings), root_of(settings).with_name("disk")
        root.rename(disk)
        if is_there:
            root.mkdir()
        for process in (store, open_store(settings, database)):  # that it went from, and one that starts now
            with pytest.raises(StoreUnavailable):
                process.store_instance([to_bytes(image(series="another"))])
            assert files_in(settings) == []
            process.sweep_if_due(lambda *_: None)
        for _ in range(2):
            outcome = look_once(database, DataDirectory(settings.data_dir, root), take_over=True)
            assert outcome is not None
            assert outcome.state == "unavailable"
        assert count_instances(database) == 30

        shutil.rmtree(root)
        disk.rename(root)
        assert store.store_instance([to_bytes(image(series="another"))]).state is StoreState.STORED
        outcome = look_once(database, DataDirectory(settings.data_dir, root), take_over=True)
        assert outcome is not None
        assert outcome.state == "ready"
        assert count_instances(database) == 31

    def test_what_a_disk_still_had_of_receiving_is_removed(self, store: Store, settings: Settings) -> None:
        store.open()
        root, disk = root_of(settings), root_of(settings).with_name("disk")
        with folder_of(store).new_file() as (_, descriptor):
            os.write(descriptor, b"half")
            root.rename(disk)
            store.open()
        shutil.rmtree(root)
        disk.rename(root)
        assert store.store_instance([to_bytes(image())]).state is StoreState.STORED
        assert files_in(settings, ".incoming") == []

    def test_no_folder_but_a_file(self, settings: Settings, database: Database) -> None:
        root_of(settings).write_bytes(b"")
        store = open_store(settings, database)
        assert store.state() == "unavailable"
        with pytest.raises(StoreUnavailable):
            store.store_instance([to_bytes(image())])


def test_without_a_store(settings: Settings, database: Database) -> None:
    assert open_store(settings.model_copy(update={"store_dir": None}), database).state() == "not_configured"


def test_scrubbing_waits_while_something_is_received(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_folder, "BUSY_SECONDS", 3600.0)  # however slow this machine is
    archive = Archive(settings, database)
    assert not archive._scrubber.is_busy()

    def chunks() -> Iterator[bytes]:
        content = to_bytes(image())
        yield content[:100]
        assert archive._scrubber.is_busy()
        yield content[100:]

    assert archive.store.store_instance(chunks()).state is StoreState.STORED
    folder_of(archive.store)._used -= 3600.0
    assert not archive._scrubber.is_busy()
    archive.store.close()
