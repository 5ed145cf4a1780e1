"""The database: engine, transactions, and what its failures mean.

Two kinds of transaction exist. ``reading()`` may run beside any other. ``writing()`` takes SQLite's write lock
when it begins, because a SQLite transaction that reads first and writes later can fail where waiting would have
helped; on PostgreSQL both are plain transactions.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from imageserver.errors import DatabaseUnavailable, StorageFull
from imageserver.fair_lock import FairLock

CONNECT_SECONDS = 2
STATEMENT_SECONDS = 5
POOL_WAIT_SECONDS = 2
TURN_SECONDS = 15
CACHE_KIB = 16_000  # of a connection of SQLite: what searches of 10,000 studies read; 2,000 by default
PATIENT_TRIES = 3  # each waits for STATEMENT_SECONDS

CONSTRAINT_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all tables; constraints get names, so that migrations can address them."""

    metadata = MetaData(naming_convention=CONSTRAINT_NAMES)


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time: aware on the Python side, UTC in the database (SQLite keeps no zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware time into what the database keeps."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone would be ambiguous")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn what the database keeps into an aware time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Database:
    """One pool of connections; shared by all threads of a process."""

    def __init__(self, url: str) -> None:
        self.engine = _create_engine(url)
        self._turns = FairLock() if self.is_sqlite else None
        self._writing_engine = self.engine.execution_options(begin_immediate=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session for reading; whatever was changed in it is rolled back.

        Raises
        ------
        DatabaseUnavailable
            If the database does not answer.
        """
        with translated_errors(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def asking(self) -> Iterator[Connection]:
        """Open a connection for a question that is asked all the time: without the costs of a session; as `reading`."""
        with translated_errors(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, is_patient: bool = False) -> Iterator[Session]:
        """Open a session for writing, committed at the end of the block, rolled back on any error.

        Parameters
        ----------
        is_patient : bool
            Wait longer for other processes that write into an embedded database.

        Raises
        ------
        DatabaseUnavailable
            If the database does not answer.
        StorageFull
            If there is no room for the change.
        """
        with translated_errors():
            for left in reversed(range(PATIENT_TRIES if is_patient else 1)):
                has_begun = False
                try:
                    with self._writing_session() as session:
                        has_begun = True
                        yield session
                    return
                except OperationalError as error:  # of several processes that write, SQLite may pass one over
                    if has_begun or not left or not _is_busy(error.orig):
                        raise

    @contextmanager
    def _writing_session(self) -> Iterator[Session]:
        """Begin a transaction; who has to wait for other processes does so in their turn, and gives it back."""
        with (
            self._turn(),
            Session(self._writing_engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            if self.is_sqlite:
                session.connection()
            yield session

    @contextmanager
    def _turn(self) -> Iterator[None]:
        # SQLite's own waiting is polling with pauses: under many writers some would never be served.
        if self._turns is None:
            yield
            return
        if not self._turns.acquire(TURN_SECONDS):
            raise DatabaseUnavailable("The database is busy; try again in a moment.")
        try:
            yield
        finally:
            self._turns.release()

    def dispose(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise our own errors for a database that is full, gone, slow or not migrated."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError, ProgrammingError) as error:
        raise _translate(error) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseUnavailable("The connection to the database was lost.") from error
        raise


def _translate(error: Exception) -> Exception:
    text = str(getattr(error, "orig", error)).lower()
    if "disk is full" in text or "no space left" in text or "disk full" in text:
        return StorageFull("The state directory or the database has no room left.")
    if isinstance(error, ProgrammingError) and "does not exist" not in text:
        return error  # a mistake of ours: an unexpected error, with its trace in the log
    return DatabaseUnavailable("The database does not answer; try again in a moment.")


def _create_engine(url: str) -> Engine:
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            pool_size=10,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_use_lifo=True,  # the connection that was used last has the pages of the database in its memory
            hide_parameters=True,
            connect_args={"timeout": STATEMENT_SECONDS},
        )
        event.listen(engine, "connect", _prepare_sqlite_connection)
        event.listen(engine, "begin", _begin_sqlite_transaction)
        return engine
    return create_engine(
        url,
        pool_size=10,
        max_overflow=10,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,  # the text of an error goes to the log; the values may be a patient's
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "options": f"-c statement_timeout={STATEMENT_SECONDS * 1000} -c timezone=UTC",
        },
    )


def _prepare_sqlite_connection(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: _begin_sqlite_transaction does.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # an answered log-out survives a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    cursor.close()


def _begin_sqlite_transaction(connection: Any) -> None:
    is_writing = connection.get_execution_options().get("begin_immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _is_busy(error: BaseException | None) -> bool:
    return (
        isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    )
