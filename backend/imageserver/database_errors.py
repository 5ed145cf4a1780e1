"""What may be written about an error of the database: its kind, never a value of a row.

The text of PostgreSQL's errors quotes values (``DETAIL:  Key (patient_id)=(…) already exists``, ``invalid input syntax
for type integer: "…"``), and values are patients'.
"""

import sqlite3
from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError


def is_database_error(error: BaseException) -> bool:
    """Tell whether an error comes from a database, its driver or SQLAlchemy."""
    driver = type(error).__module__.partition(".")[0]
    return isinstance(error, SQLAlchemyError | sqlite3.Error) or driver in ("psycopg", "psycopg_binary")


def describe_database_error(error: BaseException) -> str:
    """Return one line without values: the class, and SQLSTATE where the server gave one.

    The reason is added where no statement was executed, as when the server cannot be reached, and of SQLite's
    operational errors (locked, no such table): these quote nothing.
    """
    if not isinstance(error, StatementError):
        return _describe(error, error)
    return f"{type(error).__name__}: {_describe(error, error.orig or error)}"


def _describe(error: BaseException, reported: Any) -> str:
    name = type(reported).__name__
    if state := getattr(reported, "sqlstate", None):
        return f"{name} (SQLSTATE {state})"
    if isinstance(reported, sqlite3.Error) and not isinstance(reported, sqlite3.OperationalError):
        return f"{name} ({getattr(reported, 'sqlite_errorname', None) or 'no code'})"
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        return name  # a value that could not be sent
    lines = str(reported).splitlines()
    return f"{name}: {lines[0]}" if lines else name
