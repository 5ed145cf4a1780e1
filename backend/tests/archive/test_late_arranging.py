"""When series that are stored in many requests are arranged: seldom while they come, and soon after."""

import itertools
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from sqlalchemy import event, func, select

from imageserver.archive import late_arranging, store_step
from imageserver.archive.files import DataDirectory
from imageserver.archive.late_arranging import REST, LateArranging
from imageserver.archive.managed_store import Store
from imageserver.archive.models import File, IndexState, Instance, Series, SeriesHeader
from imageserver.database import Database
from imageserver.errors import DatabaseUnavailable
from imageserver.settings import Settings
from tests.builders import to_bytes, volume

WAIT_SECONDS = 120.0  # only to end at all


@pytest.fixture
def store(settings: Settings, database: Database) -> Iterator[Store]:
    with_store = settings.model_copy(update={"store_dir": settings.state_dir / "store"})
    made = Store(with_store, database, DataDirectory(with_store.data_dir, with_store.store_dir))
    yield made
    made.close()


@pytest.fixture
def arranged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many series were arranged, transaction by transaction, in requests."""
    counts: list[int] = []
    arrange = store_step.rearrange

    def note(session: object, series_ids: set[int], *rest: object) -> None:
        counts.append(len(series_ids))
        arrange(session, series_ids, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(store_step, "rearrange", note)
    return counts


def store_one_by_one(store: Store, count: int) -> None:
    for instance in volume(count):
        store.store_instance([to_bytes(instance)])


def test_a_growing_series_is_arranged_when_it_has_doubled(
    store: Store, arranged: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_arranging, "QUIET_SECONDS", 3600.0)
    monkeypatch.setattr(late_arranging, "LONGEST_SECONDS", 3600.0)
    store_one_by_one(store, 40)
    assert [place for place, count in enumerate(arranged, 1) if count] == [*range(1, 9), 16, 32]


def test_what_is_late_is_arranged_soon(store: Store, database: Database) -> None:
    store_one_by_one(store, 11)
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        with database.reading() as session:
            told = session.execute(
                select(Series.slice_count, SeriesHeader.instance_count, Series.is_stale).join(
                    SeriesHeader, SeriesHeader.series_id == Series.id
                )
            ).one()
        if tuple(told) == (11, 11, False):
            break
        time.sleep(0.05)
    assert tuple(told) == (11, 11, False)


def test_instances_that_are_not_arranged_are_there(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_arranging, "QUIET_SECONDS", 3600.0)
    monkeypatch.setattr(late_arranging, "LONGEST_SECONDS", 3600.0)
    store_one_by_one(store, 11)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Instance)) == 11
        assert session.scalars(select(Series.is_stale)).one() is True


def test_files_are_counted_without_reading_all_of_them(store: Store, database: Database) -> None:
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    store_one_by_one(store, 10)
    assert not [one for one in statements if "count(" in one and "FROM files" in one]
    with database.reading() as session:
        told = session.execute(select(IndexState.indexed, IndexState.refused)).one()
        assert tuple(told) == (session.scalar(select(func.count()).select_from(File)), 0)


class Held:
    """A `LateArranging` whose arranging is watched, with a clock that only the test turns."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.late = LateArranging(database)
        self.now = 1000.0
        self.takes = 0.0
        self.arranged: list[set[int]] = []
        self.failures: list[Exception] = []
        monkeypatch.setattr(late_arranging, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(late_arranging, "threading", SimpleNamespace(Thread=_NoThread))
        monkeypatch.setattr(self.late, "_arrange", self._arrange)

    def _arrange(self, series_ids: set[int]) -> None:
        self.now += self.takes
        if self.failures:
            raise self.failures.pop()
        self.arranged.append(set(series_ids))

    def work_until(self, moment: float) -> None:
        """Let the thread do all that it does until then."""
        wait = self.late._changed.wait

        def turn_clock(seconds: float | None = None) -> bool:
            assert seconds is not None
            if self.now + seconds > moment:
                raise _ThatIsAll
            self.now += seconds
            return True

        self.late._changed.wait = turn_clock  # type: ignore[method-assign]
        try:
            self.late._work()
        except _ThatIsAll:
            self.now = moment
        finally:
            self.late._changed.wait = wait  # type: ignore[method-assign]


class _ThatIsAll(BaseException):
    """Nothing more happens."""


class _NoThread:
    def __init__(self, **_: object) -> None:
        pass

    def start(self) -> None:
        pass


@pytest.fixture
def held(database: Database, monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(database, monkeypatch)


def test_what_takes_long_is_arranged_seldom(held: Held) -> None:
    held.takes = 2.0
    began = []
    for _ in range(600):  # one comes each 0.1 s for a minute
        held.late.expect([1])
        before = len(held.arranged)
        held.work_until(held.now + 0.1)
        began += [held.now] * (len(held.arranged) - before)
    pauses = [later - earlier - held.takes for earlier, later in itertools.pairwise(began)]
    assert len(pauses) >= 2
    assert min(pauses) >= 0.9 * REST * held.takes
    held.work_until(held.now + 100)
    assert not held.late._waiting  # and the last ones in the end


def test_no_series_is_forgotten_while_the_database_is_away(held: Held) -> None:
    held.failures = [DatabaseUnavailable("away") for _ in range(5)]
    held.late.expect([1, 2])
    held.work_until(held.now + 3600)
    assert held.arranged == [{1, 2}]


def test_an_unexpected_error_does_not_come_again_and_again(held: Held) -> None:
    held.failures = [ValueError()]
    held.late.expect([1])
    held.work_until(held.now + 3600)
    assert held.arranged == []
    held.late.expect([2])
    held.work_until(held.now + 3600)
    assert held.arranged == [{2}]


def test_a_thread_that_cannot_be_started_is_begun_later(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = threading.Thread.start
    refused = []

    def start(thread: threading.Thread) -> None:
        if thread.name == "arrange" and not refused:
            refused.append(thread)
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    store_one_by_one(store, 11)
    assert refused
    until = time.monotonic() + WAIT_SECONDS
    is_stale = True
    while is_stale and time.monotonic() < until:
        with database.reading() as session:
            is_stale = session.scalars(select(Series.is_stale)).one()
        time.sleep(0.05)
    assert not is_stale


def test_what_waits_is_arranged_when_the_process_ends(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_arranging, "QUIET_SECONDS", 3600.0)
    monkeypatch.setattr(late_arranging, "LONGEST_SECONDS", 3600.0)
    monkeypatch.setattr(late_arranging, "STOP_SECONDS", WAIT_SECONDS)
    store_one_by_one(store, 11)
    store.close()
    with database.reading() as session:
        told = session.execute(select(Series.slice_count, Series.is_stale)).one()
    assert tuple(told) == (11, False)


def test_large_series_are_arranged_one_after_the_other(
    store: Store, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        for instance in volume(2, series=f"series {number}"):
            store.store_instance([to_bytes(instance)])
    with database.reading() as session:
        ids = session.scalars(select(Series.id).order_by(Series.id)).all()
    late = LateArranging(database)
    for together, wanted in ((1, [1, 1, 1]), (4, [2, 1]), (6, [3])):
        monkeypatch.setattr(late_arranging, "TOGETHER", together)
        assert [len(portion) for portion in late._portions(set(ids))] == wanted
        assert set().union(*late._portions(set(ids))) == set(ids)
