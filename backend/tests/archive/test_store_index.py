"""Writing what was stored into the index: what it asks of the database, and what is never done while that is held."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event, select, update

from imageserver.archive import late_arranging, store_index
from imageserver.archive.files import DataDirectory, FoundFile
from imageserver.archive.index_transaction import index_transaction
from imageserver.archive.managed_store import Store
from imageserver.archive.models import File, Study
from imageserver.archive.store_outcomes import StoreState
from imageserver.database import Database
from imageserver.settings import Settings
from tests.builders import image, to_bytes, volume

# Those of a transaction that adds to a series: state, holders, series, deletions, bases, growth, and the state again;
# instances, metadata and files. On PostgreSQL also a time limit.
MOST_STATEMENTS = 11


@pytest.fixture
def store(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(late_arranging, "QUIET_SECONDS", 3600.0)
    monkeypatch.setattr(late_arranging, "LONGEST_SECONDS", 3600.0)
    with_store = settings.model_copy(update={"store_dir": settings.state_dir / "store"})
    made = Store(with_store, database, DataDirectory(with_store.data_dir, with_store.store_dir))
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


def test_a_study_is_completed_by_what_later_files_say(store: Store, database: Database) -> None:
    slices = volume(2)
    slices[0].StudyDescription = None
    slices[1].StudyDescription = "Thorax"
    for one in slices:
        store.store_instance([to_bytes(one)])
    with database.reading() as session:
        assert session.scalars(select(Study.study_description)).all() == ["Thorax"]
