"""The store without HTTP: faults at every step, duplicates, many at once.

What has to hold after each (RELIABILITY of the store): what was acknowledged is there with the same bytes, every row
has its file, every file has its row, and nothing is left of receiving.
"""

import errno
import hashlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian
from sqlalchemy import event, select, update

from imageserver.archive import index_writer
from imageserver.archive import store as archive_store
from imageserver.archive.deletions import Wanted, find_deleted
from imageserver.archive.files import STORE_ROOT, DataDirectory, FoundFile
from imageserver.archive.index_transaction import index_transaction, note_change
from imageserver.archive.indexing import look_once
from imageserver.archive.managed_store import Store
from imageserver.archive.models import File, Instance, Study
from imageserver.archive.reading import ReadFile
from imageserver.archive.store_folder import INCOMING, Disk, StoreFolder
from imageserver.archive.store_outcomes import FailureReason, StoreOutcome, StoreState
from imageserver.archive.storing import forget_everything
from imageserver.archive.trash import NotRestored
from imageserver.database import Database
from imageserver.dicom.limits import DEFAULT_LIMITS, Limits
from imageserver.errors import AppError, StorageFull
from imageserver.settings import Settings
from tests.builders import image, to_bytes, uid, volume
from tests.storing import files_in

ERRORS = [errno.EIO, errno.ENOSPC, errno.EDQUOT]
STEPS = ("open", "write", "fsync", "mkdir", "link", "unlink")
STUDY = uid("study of", "series")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a store."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store"})


def open_store(settings: Settings, database: Database) -> Store:
    return Store(settings, database, DataDirectory(settings.data_dir, settings.store_dir))


@pytest.fixture
def store(settings: Settings, database: Database) -> Iterator[Store]:
    made = open_store(settings, database)
    yield made
    made.close()


def folder_of(store: Store) -> StoreFolder:
    assert store._folder is not None
    return store._folder


class FaultyDisk(Disk):
    """Lets the call of a number fail."""

    def __init__(self, at: int, number: int) -> None:
        self.left = at
        self.number = number
        for name in STEPS:
            setattr(self, name, self._failing(getattr(Disk, name)))

    def _failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise OSError(self.number, os.strerror(self.number))
            return call(*arguments, **options)

        return run


def digests(settings: Settings) -> dict[bytes, str]:
    """SHA-256 of the files in the store, by their paths in the index."""
    assert settings.store_dir is not None
    root = settings.store_dir
    return {
        STORE_ROOT + os.fsencode(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files_in(settings)
    }


def check_invariants(settings: Settings, database: Database, acknowledged: dict[str, bytes]) -> None:
    files = digests(settings)
    with database.reading() as session:
        rows = {
            row[0]: row[1:] for row in session.execute(select(File.path, File.sha256, File.sop_instance_uid))
        }
        instances = set(session.scalars(select(Instance.sop_instance_uid)))
    assert {path: row[0] for path, row in rows.items()} == files
    assert {row[1] for row in rows.values()} == instances
    for name, content in acknowledged.items():
        assert name in instances
        assert hashlib.sha256(content).hexdigest() in files.values()
    assert files_in(settings, ".incoming") == []


class TestFaults:
    @pytest.mark.parametrize("number", ERRORS)
    def test_of_the_disk_at_every_step(self, settings: Settings, database: Database, number: int) -> None:
        made = [to_bytes(one) for one in volume(3)]
        names = [uid("series", instance) for instance in (1, 2, 3)]
        for at in itertools.count(1):
            store = open_store(settings, database)
            disk = FaultyDisk(at, number)
            folder_of(store).disk = disk
            acknowledged = {}
            try:
                with store.run() as run:
                    for content in made:
                        run.receive([content[:100], content[100:]])
                    for name, content, outcome in zip(names, made, run.commit(), strict=True):
                        if outcome.state is not StoreState.REFUSED:
                            acknowledged[name] = content
                        elif number != errno.EIO:
                            assert outcome.failure_reason is FailureReason.OUT_OF_RESOURCES
            except (AppError, OSError):
                pass
            folder_of(store).disk = Disk()
            store.close()
            if disk.left > 0:
                break
            check_invariants(settings, database, acknowledged)
            store = open_store(settings, database)
            store.open()
            store.trash.delete(Wanted(STUDY), "ada", lambda *_: None, now=0)
            store.trash.sweep(0, lambda *_: None)
            store.close()
        assert at > 15
        check_invariants(settings, database, dict(zip(names, made, strict=True)))

    @pytest.mark.parametrize("is_delete", [False, True])
    def test_of_the_commit(
        self, store: Store, settings: Settings, database: Database, is_delete: bool
    ) -> None:
        content = to_bytes(image())
        if is_delete:
            store.store_instance([content])

        def act() -> None:
            if is_delete:
                store.trash.delete(Wanted(STUDY), "ada", lambda *_: None)
            else:
                store.store_instance([content])

        def fail(_connection: Any) -> None:
            raise OSError(errno.EIO, "the commit fails")

        event.listen(database.engine, "commit", fail)
        try:
            with pytest.raises((OSError, AppError)):
                act()
        finally:
            event.remove(database.engine, "commit", fail)
        if is_delete:
            check_invariants(settings, database, {uid("series", 1): content})
            assert store.trash.delete(Wanted(STUDY), "ada", lambda *_: None)
            return
        look_once(database, DataDirectory(settings.data_dir, settings.store_dir), take_over=True)
        store.store_instance([content])
        assert list(digests(settings).values()) == [hashlib.sha256(content).hexdigest()]

    @pytest.mark.parametrize("number", ERRORS)
    def test_of_the_disk_while_deleting(self, settings: Settings, database: Database, number: int) -> None:
        content = to_bytes(image())
        for at in itertools.count(1):
            store = open_store(settings, database)
            store.store_instance([content])
            disk = FaultyDisk(at, number)
            folder_of(store).disk = disk
            assert store.trash.delete(Wanted(STUDY), "ada", lambda *_: None)
            folder_of(store).disk = Disk()
            look_once(database, DataDirectory(settings.data_dir, settings.store_dir), take_over=True)
            with database.reading() as session:
                assert session.scalars(select(Instance)).all() == []
                [deleted] = find_deleted(session)
            store.trash.sweep(30, lambda *_: None)
            assert files_in(settings) == []
            store.trash.restore(deleted, lambda *_: None)
            check_invariants(settings, database, {uid("series", 1): content})
            assert files_in(settings, ".trash") == []
            store.close()
            if disk.left > 0:
                break
        assert at > 2


class TestSweep:
    def test_what_a_dead_process_was_receiving_is_removed(
        self, store: Store, settings: Settings, database: Database
    ) -> None:
        store.open()
        assert settings.store_dir is not None
        abandoned = settings.store_dir / ".incoming" / "abandoned"
        abandoned.mkdir()
        (abandoned / "half").write_bytes(b"half")
        with folder_of(store).new_file():
            other = open_store(settings, database)
            other.open()
            assert len(files_in(settings, ".incoming")) == 1  # that of the process that lives
            other.close()
        assert not abandoned.exists()

    def test_a_process_that_starts_beside_it_takes_its_new_folder_for_abandoned(
        self, store: Store, settings: Settings
    ) -> None:
        removed = []

        class OtherProcess(Disk):
            def mkdir(self, path: bytes, mode: int, *, dir_fd: int) -> None:  # type: ignore[override]
                os.mkdir(path, mode, dir_fd=dir_fd)
                if path.startswith(INCOMING + b"/") and not removed:
                    removed.append(path)
                    os.rmdir(path, dir_fd=dir_fd)

        folder_of(store).disk = OtherProcess()
        assert store.store_instance([to_bytes(image())]).state is StoreState.STORED
        assert removed
        assert folder_of(store).incoming not in removed

    def test_a_file_without_a_row_is_taken_into_the_index(
        self, store: Store, settings: Settings, database: Database
    ) -> None:
        store.store_instance([to_bytes(image())])
        with database.writing() as session:
            session.query(File).delete()
            session.query(Instance).delete()
        directory = DataDirectory(settings.data_dir, settings.store_dir)
        look_once(database, directory, take_over=True, forget_missing=True)
        with database.reading() as session:
            assert session.scalars(select(Instance.sop_instance_uid)).all() == [uid("series", 1)]

    def test_an_empty_store_that_had_files_keeps_its_rows(
        self, store: Store, settings: Settings, database: Database
    ) -> None:
        store.store_instance([to_bytes(image())])
        assert settings.store_dir is not None
        settings.store_dir.rename(settings.store_dir.with_name("unmounted"))
        outcome = look_once(database, DataDirectory(settings.data_dir, settings.store_dir), take_over=True)
        assert outcome is not None
        assert outcome.state == "unavailable"
        with database.reading() as session:
            assert len(session.scalars(select(Instance)).all()) == 1


class TestManyAtOnce:
    @pytest.mark.parametrize("is_same", [True, False])
    def test_the_same_instance(self, settings: Settings, database_url: str, is_same: bool) -> None:
        databases = [Database(database_url) for _ in range(4)]  # as many processes
        stores = [open_store(settings, database) for database in databases]
        for number in range(5):
            names = ["Doe^Jane"] * 8 if is_same else [f"Doe^{letter}" for letter in "ABCDEFGH"]
            contents = [to_bytes(image(instance=number + 1, PatientName=name)) for name in names]
            outcomes: list[Any] = [None] * len(contents)
            barrier = threading.Barrier(len(contents))

            def send(
                place: int,
                content: bytes,
                outcomes: list[Any] = outcomes,
                barrier: threading.Barrier = barrier,
            ) -> None:
                barrier.wait()
                outcomes[place] = stores[place % len(stores)].store_instance([content])

            threads = [threading.Thread(target=send, args=one) for one in enumerate(contents)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            states = sorted(outcome.state.value for outcome in outcomes)
            others = "duplicate" if is_same else "refused"
            assert states == sorted(["stored", *[others] * 7])
            [winner] = [place for place, outcome in enumerate(outcomes) if outcome.state is StoreState.STORED]
            assert hashlib.sha256(contents[winner]).hexdigest() in digests(settings).values()
        assert len(digests(settings)) == 5
        check_invariants(settings, databases[0], {})
        for store, database in zip(stores, databases, strict=True):
            store.close()
            database.dispose()


def test_what_is_stored_again_before_its_file_is_moved_stays(
    store: Store, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = to_bytes(image())
    store.store_instance([content])
    move = store.trash._move
    monkeypatch.setattr(store.trash, "_move", lambda _deleted: None)
    deleted = store.trash.delete(Wanted(STUDY), "ada", lambda *_: None)
    assert store.store_instance([content]).state is StoreState.STORED
    move(deleted)
    check_invariants(settings, database, {uid("series", 1): content})


def test_what_cannot_be_moved_is_not_purged(store: Store, settings: Settings, database: Database) -> None:
    store.store_instance([to_bytes(image())])
    folder_of(store).disk = FaultyDisk(1, errno.EIO)
    [deleted] = store.trash.delete(Wanted(STUDY), "ada", lambda *_: None)
    folder_of(store).disk = FaultyDisk(1, errno.EIO)
    assert store.trash.purge([deleted], lambda *_: None) == []
    assert len(files_in(settings)) == 1
    look_once(database, DataDirectory(settings.data_dir, settings.store_dir), take_over=True)
    with database.reading() as session:
        assert session.scalars(select(Instance)).all() == []  # its note is kept: it stays hidden
    folder_of(store).disk = Disk()
    assert store.trash.purge([deleted], lambda *_: None) == [deleted]
    assert files_in(settings) == files_in(settings, ".trash") == []


@pytest.fixture
def not_moved(store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files that were deleted, and whose way to the trash was interrupted."""
    for instance in volume(3):
        store.store_instance([to_bytes(instance)])
    with monkeypatch.context() as patch:
        patch.setattr(store.trash, "_move", lambda _deleted: None)
        store.trash.delete(Wanted(STUDY), "ada", lambda *_: None)
    return files_in(settings)


def test_files_are_hashed_for_the_trash_while_others_may_write(
    store: Store,
    settings: Settings,
    database: Database,
    not_moved: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digest = folder_of(store).digest
    hashed = []

    def write_meanwhile(path: bytes) -> str:
        with index_transaction(database):  # waits for its turn, and fails, where the index is held
            hashed.append(path)
        return digest(path)

    monkeypatch.setattr(folder_of(store), "digest", write_meanwhile)
    store.trash.sweep(30, lambda *_: None)
    assert len(hashed) == len(not_moved) == 3
    assert files_in(settings) == []
    assert len(files_in(settings, ".trash")) == 3


def test_a_file_that_cannot_be_read_keeps_no_other_from_the_trash(
    store: Store, settings: Settings, not_moved: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = folder_of(store).digest

    def fail_once(path: bytes) -> str:
        if os.fsencode(not_moved[0].name) in path:
            raise OSError(errno.EIO, "input/output error")
        return digest(path)

    monkeypatch.setattr(folder_of(store), "digest", fail_once)
    store.trash.sweep(30, lambda *_: None)
    assert files_in(settings) == [not_moved[0]]
    assert len(files_in(settings, ".trash")) == 2


def test_files_are_not_hashed_again_while_the_index_is_held(
    store: Store,
    settings: Settings,
    database: Database,
    not_moved: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed: list[FoundFile] = []
    digest = index_writer.content_digest

    def change_meanwhile(directory: DataDirectory, file: FoundFile) -> str:
        if not hashed:
            with index_transaction(database) as session:
                note_change(session, added=0)
        hashed.append(file)
        return digest(directory, file)

    monkeypatch.setattr(index_writer, "content_digest", change_meanwhile)
    for path in not_moved:
        os.utime(path, (1, 1))
    look_once(database, DataDirectory(settings.data_dir, settings.store_dir), take_over=True)
    assert len(hashed) == len(set(hashed)) == len(not_moved)
    with database.reading() as session:
        assert session.scalars(select(Instance)).all() == []


class TestStoredAnewAfterDeletion:
    """Other bytes under the UIDs of a deleted instance: the way to correct one (docs/decisions/0078)."""

    OTHER = to_bytes(image(PatientName="Roe^Richard"))

    @pytest.fixture
    def directory(self, store: Store, settings: Settings) -> DataDirectory:
        (settings.data_dir / "other.dcm").write_bytes(to_bytes(image(series="other")))
        os.utime(settings.data_dir / "other.dcm", (1, 1))
        store.store_instance([to_bytes(image())])
        store.trash.delete(Wanted(STUDY), "ada", lambda *_: None)
        assert store.store_instance([self.OTHER]).state is StoreState.STORED
        for path in files_in(settings):
            os.utime(path, (1, 1))
        return DataDirectory(settings.data_dir, settings.store_dir)

    def check_is_shown(self, settings: Settings, database: Database) -> None:
        assert list(digests(settings).values()) == [hashlib.sha256(self.OTHER).hexdigest()]
        with database.reading() as session:
            assert uid("series", 1) in session.scalars(select(Instance.sop_instance_uid)).all()

    def test_it_outlives_being_read_again(
        self, store: Store, settings: Settings, database: Database, directory: DataDirectory
    ) -> None:
        look_once(database, directory, take_over=True)
        with database.writing() as session:
            session.execute(update(File).values(read_by="former rules"))
        look_once(database, directory, take_over=True)
        self.check_is_shown(settings, database)
        store.trash.sweep(30, lambda *_: None)
        self.check_is_shown(settings, database)

    def test_it_outlives_the_loss_of_the_index(
        self, store: Store, settings: Settings, database: Database, directory: DataDirectory
    ) -> None:
        with database.writing() as session:
            forget_everything(session)
        store.trash.sweep(30, lambda *_: None)
        look_once(database, directory, take_over=True)
        self.check_is_shown(settings, database)
        store.trash.sweep(30, lambda *_: None)
        self.check_is_shown(settings, database)
        assert len(files_in(settings, ".trash")) == 1

    def test_deleted_again_in_the_same_second_both_are_kept(
        self, store: Store, settings: Settings, database: Database
    ) -> None:
        contents = [to_bytes(image()), self.OTHER]
        for content in contents:
            store.store_instance([content])
            store.trash.delete(Wanted(STUDY), "ada", lambda *_: None, now=1000)
        kept = {hashlib.sha256(path.read_bytes()).hexdigest() for path in files_in(settings, ".trash")}
        assert kept == {hashlib.sha256(content).hexdigest() for content in contents}
        with database.reading() as session:
            first, _ = find_deleted(session)
        store.trash.restore(first, lambda *_: None)
        check_invariants(settings, database, {uid("series", 1): contents[0]})


class TestSeriesOfAnotherStudy:
    """It would be filed, found and shown under the other study, whose patient may be another one."""

    MINE = to_bytes(image(instance=1))
    FOREIGN = to_bytes(image(instance=2, study="another", PatientName="Roe^Richard", PatientID="TEST-2"))

    def check(self, settings: Settings, database: Database) -> None:
        check_invariants(settings, database, {uid("series", 1): self.MINE})
        assert len(digests(settings)) == 1
        assert files_in(settings, ".quarantine") == []
        with database.reading() as session:
            assert session.scalars(select(Study.study_instance_uid)).all() == [STUDY]

    def test_is_refused(self, store: Store, settings: Settings, database: Database) -> None:
        assert store.store_instance([self.MINE]).state is StoreState.STORED
        outcome = store.store_instance([self.FOREIGN])
        assert outcome.state is StoreState.REFUSED
        assert (outcome.failure_reason, outcome.code) == (FailureReason.OTHER_STUDY, "series_of_other_study")
        self.check(settings, database)

    def test_is_refused_of_one_request(self, store: Store, settings: Settings, database: Database) -> None:
        with store.run() as run:
            for content in (self.MINE, self.FOREIGN):
                run.receive([content])
            states = [outcome.state for outcome in run.commit()]
        assert states == [StoreState.STORED, StoreState.REFUSED]
        self.check(settings, database)

    def test_is_not_restored(self, store: Store, settings: Settings, database: Database) -> None:
        store.store_instance([self.FOREIGN])
        [deleted] = store.trash.delete(Wanted(uid("study of", "another")), "ada", lambda *_: None)
        store.store_instance([self.MINE])
        with pytest.raises(NotRestored, match="another study"):
            store.trash.restore(deleted, lambda *_: None)
        self.check(settings, database)
        assert len(files_in(settings, ".trash")) == 1

    def test_is_taken_once_the_other_is_deleted(
        self, store: Store, settings: Settings, database: Database
    ) -> None:
        store.store_instance([self.FOREIGN])
        store.trash.delete(Wanted(uid("study of", "another")), "ada", lambda *_: None)
        assert store.store_instance([self.MINE]).state is StoreState.STORED
        self.check(settings, database)


class TestSentAgain:
    """Who is told that an instance is stored may delete their own copy: then one has to be here."""

    CONTENT = to_bytes(image())

    @pytest.fixture(autouse=True)
    def stored(self, store: Store) -> None:
        for content in (self.CONTENT, to_bytes(image(instance=2))):
            store.store_instance([content])

    def path(self, settings: Settings) -> Path:
        [found] = [path for path in files_in(settings) if path.read_bytes() == self.CONTENT]
        return found

    def send_again(self, store: Store) -> tuple[StoreState, FailureReason | None, str | None]:
        outcome = store.store_instance([self.CONTENT])
        return outcome.state, outcome.failure_reason, outcome.code

    def test_while_the_copy_is_there(self, store: Store) -> None:
        assert self.send_again(store) == (StoreState.DUPLICATE, None, None)

    @pytest.mark.parametrize("has_checksum", [True, False])
    def test_when_the_copy_is_gone(
        self, store: Store, settings: Settings, database: Database, has_checksum: bool
    ) -> None:
        self.path(settings).unlink()
        if not has_checksum:
            with database.writing() as session:
                session.execute(update(File).values(sha256=None))
        fault = (StoreState.REFUSED, FailureReason.PROCESSING_FAILURE, "unreadable")
        assert self.send_again(store) == fault
        assert files_in(settings, ".quarantine") == []
        look_once(database, DataDirectory(settings.data_dir, settings.store_dir), take_over=True)
        assert self.send_again(store)[0] is StoreState.STORED
        assert self.path(settings).exists()

    @pytest.mark.parametrize("is_first", [True, False])
    def test_together_with_another_of_other_size(self, store: Store, is_first: bool) -> None:
        other = to_bytes(image(PatientName="Roe^Richard of another length"))
        with store.run() as run:
            for content in [self.CONTENT, other] if is_first else [other, self.CONTENT]:
                run.receive([content])
            states = [outcome.state for outcome in run.commit()]
        expected = [StoreState.DUPLICATE, StoreState.REFUSED]
        assert states == (expected if is_first else expected[::-1])

    def test_twice_where_another_file_without_a_row_has_the_place(
        self, store: Store, settings: Settings, database: Database
    ) -> None:
        with database.writing() as session:
            forget_everything(session)
        other = to_bytes(image(PatientName="Roe^Richard"))
        with store.run() as run:
            for _ in range(2):
                run.receive([other])
            states = [outcome.state for outcome in run.commit()]
        assert states == [StoreState.REFUSED] * 2
        assert self.path(settings).exists()

    def test_when_the_copy_is_damaged(self, store: Store, settings: Settings, database: Database) -> None:
        with database.writing() as session:  # what the look at contents notes
            session.execute(update(File).values(code="integrity_mismatch"))
        fault = (StoreState.REFUSED, FailureReason.PROCESSING_FAILURE, "integrity_mismatch")
        assert self.send_again(store) == fault
        store.trash.delete(Wanted(STUDY, uid("series"), uid("series", 1)), "ada", lambda *_: None)
        assert self.send_again(store)[0] is StoreState.STORED
        assert self.path(settings).exists()


def test_the_first_of_two_stays(store: Store, settings: Settings) -> None:
    first = [to_bytes(image(instance=number)) for number in range(1, 51)]
    second = [to_bytes(image(instance=number, PatientName="Roe^Richard")) for number in range(1, 51)]
    with store.run() as run:
        for content in first:
            run.receive([content])
        run.commit()
    before = digests(settings)
    with store.run() as run:
        for content in second:
            run.receive([content])
        reasons = {outcome.failure_reason for outcome in run.commit()}
    assert reasons == {FailureReason.DUPLICATE_INSTANCE}
    assert digests(settings) == before
    assert len(files_in(settings, ".quarantine")) == 50


def test_names_do_not_come_from_the_file(store: Store, settings: Settings) -> None:
    outcome = store.store_instance([to_bytes(image(PatientID="../../etc/passwd", StudyID="../x"))])
    assert outcome.state is StoreState.STORED
    assert settings.store_dir is not None
    for path in files_in(settings):
        assert all(
            part.removesuffix(".dcm").isalnum() for part in Path(path.relative_to(settings.store_dir)).parts
        )


def test_a_file_that_reading_has_no_answer_to_keeps_no_other_out(
    store: Store, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd, good = to_bytes(image(instance=1, ImageComments="odd")), to_bytes(image(instance=2))
    read_file = archive_store.read_file

    def read(directory: DataDirectory, found: FoundFile, limits: Limits) -> ReadFile:
        if found.identity.size == len(odd):
            raise AttributeError("nobody thought of this")
        return read_file(directory, found, limits)

    monkeypatch.setattr(archive_store, "read_file", read)
    with store.run() as run:
        run.receive([odd])
        run.receive([good])
        first, second = run.commit()
    assert (first.failure_reason, first.code) == (FailureReason.CANNOT_UNDERSTAND, "malformed")
    assert second.state is StoreState.STORED
    check_invariants(settings, database, {uid("series", 2): good})


def test_few_are_checked_while_others_come(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read_file, lock, now, most = archive_store.read_file, threading.Lock(), 0, 0
    one_more = threading.Event()

    def read(directory: DataDirectory, found: FoundFile, limits: Limits) -> ReadFile:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now == archive_store.EXAMINED_AT_ONCE:
                one_more.set()
        one_more.wait(60.0)  # as long as nobody gets further
        with lock:
            now -= 1
        return read_file(directory, found, limits)

    monkeypatch.setattr(archive_store, "read_file", read)
    with store.run() as run:
        for one in volume(30):
            run.receive([to_bytes(one)])
        assert all(outcome.state is StoreState.STORED for outcome in run.commit())
    assert most == archive_store.EXAMINED_AT_ONCE


def test_what_a_later_batch_refuses_is_recorded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_store, "BATCH_INSTANCES", 2)
    assert store._index is not None
    add, batches = store._index.add, iter([True])

    def fail_later(batch: Any, record: Any) -> list[StoreOutcome]:
        if next(batches, False):
            return add(batch, record)
        raise StorageFull("There is no room left.")

    monkeypatch.setattr(store._index, "add", fail_later)
    recorded: list[tuple[str | None, bool]] = []
    with store.run() as run:
        run.receive([b"no DICOM"])
        for one in volume(5):
            run.receive([to_bytes(one)])
        run.commit(
            lambda _, outcomes: recorded.extend(
                (one.sop_instance_uid, one.state is StoreState.STORED) for one in outcomes
            )
        )
    names = [uid("series", number) for number in range(1, 6)]
    assert recorded == [(None, False), *zip(names, [True, True, False, False, False], strict=True)]


@pytest.mark.parametrize("mebibytes", [1, 20], ids=["small", "large"])
def test_what_inflates_to_much_is_read_alone(
    store: Store, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, mebibytes: int
) -> None:
    read_file, allowed = archive_store.read_file, []

    def read(directory: DataDirectory, found: FoundFile, limits: Limits) -> ReadFile:
        allowed.append(limits.inflated_ceiling)
        if limits is DEFAULT_LIMITS:
            assert archive_store._INFLATING.locked()
        return read_file(directory, found, limits)

    monkeypatch.setattr(archive_store, "read_file", read)
    pixels = np.zeros((mebibytes * 512, 1024), np.uint16)
    deflated = to_bytes(image(pixels), transfer_syntax=DeflatedExplicitVRLittleEndian)
    with store.run() as run:
        run.receive([deflated])
        run.receive([to_bytes(image(instance=2))])
        assert [one.state for one in run.commit()] == [StoreState.STORED] * 2
    assert sorted(allowed) == [archive_store._SMALL] * 2 + [DEFAULT_LIMITS.inflated_ceiling] * (
        mebibytes > 16
    )
    check_invariants(settings, database, {uid("series", 1): deflated})


def test_nothing_is_left_of_what_inflates_to_much(store: Store, settings: Settings) -> None:
    pixels = np.zeros((20 * 512, 1024), np.uint16)
    with store.run() as run:
        run.receive([to_bytes(image(pixels), transfer_syntax=DeflatedExplicitVRLittleEndian)])
    assert files_in(settings, ".incoming") == []
