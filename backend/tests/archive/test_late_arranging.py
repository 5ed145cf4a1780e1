"""When series that are stored in many requests are arranged: seldom while they come, and soon after."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import event, func, select

from imageserver.archive import late_arranging, store_step
from imageserver.archive.files import DataDirectory
from imageserver.archive.managed_store import Store
from imageserver.archive.models import File, IndexState, Instance, Series, SeriesHeader
from imageserver.database import Database
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
