"""Which process keeps the index: one row in the database, so that workers and containers do not do the work twice.

The lease runs on the clock of the database, because those of its clients may differ.
"""

import os
import secrets
import socket
from typing import Any

from sqlalchemy import CursorResult, func, literal_column, or_, text, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from imageserver.archive.models import INDEX_STATE_ID, IndexState
from imageserver.database import Database

LEASE_SECONDS = 20.0
RENEW_SECONDS = 6.0

_owners_in_this_process: set[str] = set()


class LeaseLost(Exception):
    """Another process has taken the index over; what was not committed is its work now."""


class Lease:
    """The right to write the index. Given back by `release`; it runs out by itself when its owner dies."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.owner = f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(8)}"
        _owners_in_this_process.add(self.owner)

    def take(self, *, by_force: bool = False) -> bool:
        """Take or renew the lease; False while another process holds it.

        By force it is always taken: what the other process has not committed then never will be.
        """
        with self.database.writing() as session:
            ensure_state_row(session)
            holder = session.get_one(IndexState, INDEX_STATE_ID).lease_owner
            is_free = or_(
                IndexState.lease_owner == self.owner, IndexState.lease_until < database_now(session)
            )
            condition = IndexState.lease_owner == holder if by_force or _is_dead(holder) else is_free
            return self._write(session, condition)

    def keep(self, session: Session) -> None:
        """Renew the lease in a transaction that writes the index, so that no second process can write beside it.

        Raises
        ------
        LeaseLost
            If the lease has passed to another process.
        """
        if not self._write(session, IndexState.lease_owner == self.owner):
            raise LeaseLost

    def release(self) -> None:
        """Give the lease back, so that the next process need not wait."""
        _owners_in_this_process.discard(self.owner)
        mine = update(IndexState).where(IndexState.lease_owner == self.owner)
        with self.database.writing() as session:
            session.execute(mine.values(lease_owner="", lease_until=0.0))

    def _write(self, session: Session, condition: ColumnElement[bool]) -> bool:
        statement = update(IndexState).where(IndexState.id == INDEX_STATE_ID, condition)
        until = database_now(session) + LEASE_SECONDS
        result = session.execute(
            statement.values(lease_owner=self.owner, lease_until=until),
            execution_options={"synchronize_session": False},
        )
        assert isinstance(result, CursorResult)
        return result.rowcount == 1


def ensure_state_row(session: Session) -> None:
    """Make the one row of `index_state` where it is missing; two processes may do so at once."""
    columns = "id, state, data_directory, seen, indexed, refused, generation, lease_owner, lease_until"
    values = f"{INDEX_STATE_ID}, 'building', '', 0, 0, 0, 0, '', 0"
    session.execute(text(f"INSERT INTO index_state ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING"))  # noqa: S608


def database_now(session: Session) -> ColumnElement[Any]:
    """Seconds since 1970 by the clock of the database."""
    if session.get_bind().dialect.name == "sqlite":
        return literal_column("(julianday('now') - 2440587.5) * 86400.0")
    return func.extract("epoch", func.clock_timestamp())


def _is_dead(owner: str) -> bool:
    """Tell whether the owner was a process of this machine that has ended, so that a restart need not wait."""
    if owner in _owners_in_this_process:
        return False
    host, _, rest = owner.partition(":")
    process = rest.partition(":")[0]
    if host != socket.gethostname()[:32] or not process.isdecimal():
        return False
    if int(process) == os.getpid():
        return True  # a former process with the same number, as in a restarted container
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
