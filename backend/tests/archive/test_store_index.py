"""Writing what was stored into the index: what it asks of the database, and what is never done while that is held."""

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from imageserver.archive import commit_groups, late_arranging, store_index, store_step
from imageserver.archive.files import DataDirectory, FoundFile
from imageserver.archive.incoming import Record
from imageserver.archive.index_transaction import index_transaction
from imageserver.archive.managed_store import Store
from imageserver.archive.models import File, Instance, Study
from imageserver.archive.reading import ReadFile
from imageserver.archive.store import record_nothing
from imageserver.archive.store_outcomes import StoreOutcome, StoreState
from imageserver.database import Database
from imageserver.errors import DatabaseUnavailable, StorageFull
from imageserver.settings import Settings
from tests.builders import image, to_bytes, volume
from tests.storing import files_in

LONGEST = 60.0  # seconds, only to end at all

# The holders beforehand. Then those of a transaction that adds to a series: state, holders, series, deletions, bases,
# growth, and the state again; instances, metadata and files. On PostgreSQL also a time limit.
MOST_STATEMENTS = 12


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a store."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store"})


@pytest.fixture
def store(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(late_arranging, "QUIET_SECONDS", 3600.0)
    monkeypatch.setattr(late_arranging, "LONGEST_SECONDS", 3600.0)
    made = Store(settings, database, DataDirectory(settings.data_dir, settings.store_dir))
    yield made
    made.close()


@pytest.fixture
def statements(database: Database) -> list[str]:
    told: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: told.append(args[2]))
    return told


@pytest.mark.parametrize("together", [1, 4])
def test_an_instance_of_a_known_series_costs_few_statements(
    store: Store, statements: list[str], together: int
) -> None:
    slices = [to_bytes(one) for one in volume(16 + together)]
    for content in slices[:16]:
        store.store_instance([content])
    statements.clear()
    with store.run() as run:
        for content in slices[16:]:
            run.receive([content])
        run.commit()
    asked = [one for one in statements if one.split()[0] not in ("BEGIN", "COMMIT")]
    # The first one that waits for being arranged is noted.
    assert len([one for one in asked if not one.startswith("UPDATE series")]) <= MOST_STATEMENTS, asked


def test_files_are_hashed_while_others_may_write(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = to_bytes(image())
    assert store.store_instance([content]).state is StoreState.STORED
    with database.writing() as session:
        session.execute(update(File).values(sha256=None))
    hashed = []
    digest = store_index.content_digest

    def write_meanwhile(directory: DataDirectory, file: FoundFile) -> str:
        with index_transaction(database):  # waits for its turn, and fails, where the index is held
            hashed.append(file)
        return digest(directory, file)

    monkeypatch.setattr(store_index, "content_digest", write_meanwhile)
    assert store.store_instance([content]).state is StoreState.DUPLICATE
    assert len(hashed) == 1
    monkeypatch.setattr(store_index.StoreIndex, "_hash_holders", lambda *_: {})  # as where it comes meanwhile
    assert store.store_instance([content]).state is StoreState.DUPLICATE
    assert len(hashed) == 2


def test_files_are_hashed_while_others_store(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, other = (to_bytes(one) for one in volume(2))
    store.store_instance([content])
    with database.writing() as session:
        session.execute(update(File).values(sha256=None))
    together = Together(store, database)
    digest = store_index.content_digest

    def store_meanwhile(directory: DataDirectory, file: FoundFile) -> str:
        thread = threading.Thread(target=together._store, args=(0, other, record_nothing))
        thread.start()
        thread.join(LONGEST)
        return digest(directory, file)

    monkeypatch.setattr(commit_groups, "WAIT_SECONDS", 0.2)  # nobody has to wait
    monkeypatch.setattr(store_index, "content_digest", store_meanwhile)
    assert store.store_instance([content]).state is StoreState.DUPLICATE
    assert together.states == [StoreState.STORED]


class Together:
    """Requests that wait at the same moment: the index is held until all of them do."""

    def __init__(self, store: Store, database: Database) -> None:
        self.store = store
        self.database = database
        self.told: dict[int, StoreOutcome | Exception] = {}

    def store_all(self, contents: Sequence[bytes], record: Record = record_nothing) -> None:
        threads = []
        with index_transaction(self.database):
            for number, content in enumerate(contents):
                threads.append(threading.Thread(target=self._store, args=(number, content, record)))
                threads[-1].start()
                self._wait_for(number + 1)
        for thread in threads:
            thread.join(LONGEST)
            assert not thread.is_alive()

    def _wait_for(self, count: int) -> None:
        index = self.store._index
        assert index is not None
        until = time.monotonic() + LONGEST
        while len(index._groups._queue) < count:
            assert time.monotonic() < until
            time.sleep(0.001)

    def _store(self, number: int, content: bytes, record: Record) -> None:
        try:
            self.told[number] = self.store.store_instance([content], record=record)
        except Exception as error:
            self.told[number] = error

    @property
    def states(self) -> list[StoreState | type[Exception]]:
        outcomes = [self.told[number] for number in range(len(self.told))]
        return [one.state if isinstance(one, StoreOutcome) else type(one) for one in outcomes]


@pytest.fixture
def together(store: Store, database: Database) -> Together:
    return Together(store, database)


def uids_in(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Instance.sop_instance_uid).order_by(Instance.id)))


def test_requests_that_wait_are_written_in_one_transaction(
    together: Together, database: Database, statements: list[str]
) -> None:
    recorded: list[list[str | None]] = []

    def record(_: Session, outcomes: Sequence[StoreOutcome]) -> None:
        recorded.append([one.sop_instance_uid for one in outcomes])

    slices = volume(6)
    together.store_all([to_bytes(one) for one in slices], record)
    assert together.states == [StoreState.STORED] * 6
    uids = [one.SOPInstanceUID for one in slices]
    assert uids_in(database) == uids
    assert recorded == [[uid] for uid in uids]  # each has its own record
    assert len([one for one in statements if one.startswith("INSERT INTO files")]) == 1


def test_the_first_of_those_that_wait_stays(together: Together, database: Database) -> None:
    one, other = image(), image(PatientName="Other^Name")
    together.store_all([to_bytes(one), to_bytes(other), to_bytes(one)])
    assert together.states == [StoreState.STORED, StoreState.REFUSED, StoreState.DUPLICATE]
    with database.reading() as session:
        assert session.scalars(select(File.sha256)).all() == [hashlib.sha256(to_bytes(one)).hexdigest()]


def test_a_record_that_cannot_be_written_takes_no_other_request_along(
    together: Together, database: Database, settings: Settings
) -> None:
    slices = volume(3)

    def record(_: Session, outcomes: Sequence[StoreOutcome]) -> None:
        if outcomes[0].sop_instance_uid == slices[1].SOPInstanceUID:
            raise StorageFull("no room for it")

    together.store_all([to_bytes(one) for one in slices], record)
    assert together.states == [StoreState.STORED, StorageFull, StoreState.STORED]
    assert uids_in(database) == [slices[0].SOPInstanceUID, slices[2].SOPInstanceUID]
    assert len(files_in(settings)) == 2


def test_a_row_that_somebody_else_writes_takes_no_other_request_along(
    together: Together, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices = volume(3)
    add = store_step.add_files

    def contradict(session: Session, files: Sequence[ReadFile], *rest: Any) -> Any:
        if any(file.declared_uid == slices[0].SOPInstanceUID for file in files):
            raise IntegrityError("INSERT", {}, Exception())
        return add(session, files, *rest)

    monkeypatch.setattr(store_step, "add_files", contradict)
    together.store_all([to_bytes(one) for one in slices])
    assert together.states == [DatabaseUnavailable, StoreState.STORED, StoreState.STORED]


def test_a_commit_that_fails_leaves_nothing_of_any_request(
    together: Together, database: Database, settings: Settings
) -> None:
    def fail(_: object) -> None:
        raise OperationalError("COMMIT", {}, Exception("gone"))

    contents = [to_bytes(one) for one in volume(3)]
    with index_transaction(database):  # its row of the state is there, and so nothing else is to be committed
        pass
    event.listen(database.engine, "commit", fail)
    try:
        threads = [
            threading.Thread(target=together._store, args=(n, c, record_nothing))
            for n, c in enumerate(contents)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONGEST)
    finally:
        event.remove(database.engine, "commit", fail)
    assert together.states == [DatabaseUnavailable] * 3
    assert uids_in(database) == []
    together.store_all(contents)
    assert together.states == [StoreState.STORED] * 3
    assert len(files_in(settings)) == 3


@pytest.mark.parametrize("failing", ["on_change", "on_late"])
def test_what_fails_after_the_commit_takes_nothing_back(
    together: Together, database: Database, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    slices = volume(14)
    for one in slices[:10]:
        together.store.store_instance([to_bytes(one)])
    failures = 0
    recorded: list[str | None] = []

    def fail(*_: object) -> None:
        nonlocal failures
        failures += 1
        raise RuntimeError("can't start new thread")

    def record(_: Session, outcomes: Sequence[StoreOutcome]) -> None:
        recorded.extend(one.sop_instance_uid for one in outcomes)

    monkeypatch.setattr(together.store._index, failing, fail)
    together.store_all([to_bytes(one) for one in slices[10:13]], record)
    assert together.states == [StoreState.STORED] * 3
    assert recorded == [one.SOPInstanceUID for one in slices[10:13]]
    assert together.store.store_instance([to_bytes(slices[13])]).state is StoreState.STORED  # one alone too
    assert failures == 2
    assert uids_in(database) == [one.SOPInstanceUID for one in slices]


def test_a_study_is_completed_by_what_later_files_say(store: Store, database: Database) -> None:
    slices = volume(2)
    slices[0].StudyDescription = None
    slices[1].StudyDescription = "Thorax"
    for one in slices:
        store.store_instance([to_bytes(one)])
    with database.reading() as session:
        assert session.scalars(select(Study.study_description)).all() == ["Thorax"]
