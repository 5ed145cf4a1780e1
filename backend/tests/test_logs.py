"""One record is one line, whatever stands in it."""

import json
import logging
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError, StatementError

from imageserver.database import Database
from imageserver.errors import AppError
from imageserver.logs import JsonLines

HOSTILE = [
    "two\nlines",
    "two\r\nlines",
    "\x1b[2Jcleared",
    "\x00",
    "\u2028separator",
    "\x85next",
    '"}\n{"level": "info"',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_value_can_forge_a_line_or_steer_a_terminal(text: str) -> None:
    record = logging.makeLogRecord({"msg": text, "name": "test", "levelname": "INFO", "field": text})
    line = JsonLines().format(record)
    assert line.isascii()
    assert line.isprintable()
    assert (json.loads(line)["message"], json.loads(line)["field"]) == (text, text)


def logged_trace(error: BaseException) -> str:
    record = logging.makeLogRecord({"msg": "failed", "name": "test", "levelname": "ERROR"})
    try:
        raise RuntimeError("while answering") from error
    except RuntimeError:
        record.exc_info = sys.exc_info()
    trace: str = json.loads(JsonLines().format(record))["trace"]
    return trace


STATEMENTS = [
    # PostgreSQL: DETAIL:  Key (path_digest)=(canary-value) already exists.
    "INSERT INTO files (path, path_digest, size, mtime_ns, inode, state) "
    "VALUES ('x', 'canary-value', 1, 1, 1, 'x'), ('y', 'canary-value', 1, 1, 1, 'x')",
    # PostgreSQL: DETAIL:  Failing row contains (1, null, canary-value, …).
    "INSERT INTO files (path, path_digest, state) VALUES (NULL, 'canary-value', 'x')",
    # PostgreSQL: invalid input syntax for type integer: "canary-value" (the first line already)
    "SELECT * FROM files WHERE size = CAST('canary-value' AS INTEGER) AND no_such_column = 1",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_trace_quotes_the_values_of_a_row(database: Database, statement: str) -> None:
    with pytest.raises((AppError, SQLAlchemyError)) as raised, database.writing() as session:
        session.execute(text(statement))
    trace = logged_trace(raised.value)
    assert "while answering" in trace
    assert "canary-value" not in trace
    assert type(raised.value).__name__ in trace


def test_a_trace_says_what_kind_of_error_it_was(database: Database) -> None:
    with pytest.raises(IntegrityError) as raised, database.writing() as session:
        session.execute(text(STATEMENTS[0]))
    wanted = "SQLITE_CONSTRAINT_UNIQUE" if database.is_sqlite else "UniqueViolation (SQLSTATE 23505)"
    assert wanted in logged_trace(raised.value)


def test_a_value_that_cannot_be_sent_is_not_quoted() -> None:
    error = StatementError("(builtins.ValueError) canary-value", "SELECT", None, ValueError("canary-value"))
    assert "canary-value" not in logged_trace(error)


def test_errors_in_a_group_and_in_a_circle() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    trace = logged_trace(ExceptionGroup("several", [first, second]))
    assert "several" in trace
    assert "first" in trace
