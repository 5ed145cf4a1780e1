"""Writing the index in any process, beside the one that keeps it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import bindparam, case, func, select, text, update
from sqlalchemy.orm import Session

from imageserver.archive.index_state import READY, UNAVAILABLE
from imageserver.archive.lease import ensure_state_row
from imageserver.archive.models import INDEX_STATE_ID, File
from imageserver.archive.reading import DUPLICATE, INDEXED, SKIPPED
from imageserver.database import Base, Database

WAIT_SECONDS = 20  # for a batch of files that another process writes

_WAIT = text(f"SET LOCAL statement_timeout = {WAIT_SECONDS * 1000}")
_STATE = Base.metadata.tables["index_state"]
_TAKE = select(_STATE.c.id).where(_STATE.c.id == INDEX_STATE_ID).with_for_update()
# Without a data directory and without files until now, but with a store.
_is_first = (_STATE.c.state == UNAVAILABLE) & (_STATE.c.indexed + _STATE.c.refused == 0)
_CHANGE = (
    update(_STATE)
    .where(_STATE.c.id == INDEX_STATE_ID)
    .values(generation=_STATE.c.generation + 1, state=case((_is_first, READY), else_=_STATE.c.state))
)
_ADD = _CHANGE.values(indexed=_STATE.c.indexed + bindparam("added"))


@contextmanager
def index_transaction(database: Database) -> Iterator[Session]:
    """Open a transaction that has the index for itself until it ends.

    The row of the index state is taken, as every transaction does that writes the index.

    Raises
    ------
    DatabaseUnavailable, StorageFull
    """
    with database.writing(is_patient=True) as session:
        if not database.is_sqlite:
            session.execute(_WAIT)
        if session.execute(_TAKE).first() is None:
            ensure_state_row(session)
            session.execute(_TAKE)
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
    if added is not None:
        session.execute(_ADD, {"added": added})
    else:
        session.execute(_CHANGE.values(_counted(session)))


def _counted(session: Session) -> dict[str, int]:
    rows = session.execute(select(File.state, func.count()).group_by(File.state))
    counts = {row[0]: row[1] for row in rows}
    indexed = counts.get(INDEXED, 0) + counts.get(DUPLICATE, 0)
    return {"indexed": indexed, "refused": sum(counts.values()) - indexed - counts.get(SKIPPED, 0)}
