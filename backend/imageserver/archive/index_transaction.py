"""Writing the index in any process, beside the one that keeps it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from imageserver.archive.index_state import READY, UNAVAILABLE
from imageserver.archive.lease import ensure_state_row
from imageserver.archive.models import INDEX_STATE_ID, File, IndexState
from imageserver.archive.reading import DUPLICATE, INDEXED, SKIPPED
from imageserver.database import Database

WAIT_SECONDS = 20  # for a batch of files that another process writes


@contextmanager
def index_transaction(database: Database) -> Iterator[Session]:
    """Open a transaction that has the index for itself until it ends.

    The row of the index state is taken, as every transaction does that writes the index.

    Raises
    ------
    DatabaseUnavailable, StorageFull
    """
    with database.writing(is_patient=True) as session:
        ensure_state_row(session)
        if not database.is_sqlite:
            session.execute(text(f"SET LOCAL statement_timeout = {WAIT_SECONDS * 1000}"))
        session.execute(select(IndexState.id).where(IndexState.id == INDEX_STATE_ID).with_for_update())
        yield session


def note_change(session: Session, added: int | None = None) -> None:
    """Give the index a new generation, and note how many files it has, after rows came or went.

    Parameters
    ----------
    session : Session
        Of an index transaction.
    added : int, optional
        How many instances came, where nothing else did; otherwise all files are counted, which takes long in a large
        archive, while others wait.
    """
    state = session.get_one(IndexState, INDEX_STATE_ID)
    values: dict[str, Any] = {"generation": IndexState.generation + 1}
    if added is None:
        values |= _counted(session)
    else:
        values["indexed"] = IndexState.indexed + added
    if state.state == UNAVAILABLE and not state.indexed + state.refused:  # no data directory, and now a store
        values["state"] = READY
    session.execute(
        update(IndexState).where(IndexState.id == INDEX_STATE_ID).values(values),
        execution_options={"synchronize_session": False},
    )


def _counted(session: Session) -> dict[str, int]:
    rows = session.execute(select(File.state, func.count()).group_by(File.state))
    counts = {row[0]: row[1] for row in rows}
    indexed = counts.get(INDEXED, 0) + counts.get(DUPLICATE, 0)
    return {"indexed": indexed, "refused": sum(counts.values()) - indexed - counts.get(SKIPPED, 0)}
