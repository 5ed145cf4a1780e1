"""The tables of the index can be migrated, and taken back, while they hold rows."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from imageserver.database import Database
from imageserver.migrations import downgrade, is_migrated, migrate

FILE = """INSERT INTO files (id, path, path_digest, size, mtime_ns, inode, state)
          VALUES (1, :path, 'a', 1, 2, 3, 'indexed')"""


@pytest.fixture
def empty(unmigrated_url: str) -> Iterator[Database]:
    """A database that nothing has migrated yet."""
    database = Database(unmigrated_url)
    yield database
    database.dispose()


USER = """INSERT INTO users (id, username, role, password_hash, is_enabled, created, password_changed)
          VALUES ('u', 'ada', 'reader', '', :yes, :now, :now)"""
MEASUREMENT = """INSERT INTO measurements VALUES ('u', 'm', 'v', 'arrow', '', '1', '1', '1', 1, 'acquired', '[]', '{}',
                 :now, :now)"""


def test_measurements_come_and_go_with_their_table(empty: Database) -> None:
    values = {"yes": True, "now": datetime(2026, 1, 1, tzinfo=UTC)}
    migrate(empty, "0008")
    with empty.writing() as session:
        session.execute(text(USER), values)
    migrate(empty)
    with empty.writing() as session:
        session.execute(text(MEASUREMENT), values)
    downgrade(empty, "0008")
    with empty.reading() as session:
        assert session.scalar(text("SELECT username FROM users")) == "ada"
    migrate(empty)
    with empty.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM measurements")) == 0


EVENT = (
    "INSERT INTO audit_events (id, time, kind, outcome, username) VALUES (1, :now, 'login', 'success', 'ada')"
)
TOKEN = """INSERT INTO program_tokens (id, user_id, name, token_hash, start, rights, created, expires)
           VALUES ('t', 'u', 'script', 'h', 'mis_0000', 'read', :now, :now)"""


def test_tokens_come_and_go_with_their_table_and_records_stay(empty: Database) -> None:
    values = {"yes": True, "now": datetime(2026, 1, 1, tzinfo=UTC)}
    migrate(empty, "0010")
    with empty.writing() as session:
        session.execute(text(USER), values)
        session.execute(text(EVENT), values)
    migrate(empty)
    with empty.writing() as session:
        session.execute(text(TOKEN), values)
        session.execute(text("UPDATE audit_events SET token_id = 't', token_name = 'script'"))
    downgrade(empty, "0010")
    with empty.reading() as session:
        assert session.scalar(text("SELECT username FROM audit_events")) == "ada"
    migrate(empty)
    with empty.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM program_tokens")) == 0
        assert session.scalar(text("SELECT token_name FROM audit_events")) is None


def test_files_get_no_stamp_and_no_checksum(empty: Database) -> None:
    migrate(empty, "0002")
    with empty.writing() as session:
        session.execute(text(FILE), {"path": b"file"})
    migrate(empty)
    with empty.reading() as session:
        assert is_migrated(session.connection())
        row = session.execute(text("SELECT path, read_by, sha256, scrubbed FROM files")).one()
        assert (bytes(row[0]), *row[1:]) == (b"file", "", None, 0)


def test_every_step_can_be_taken_back_with_rows(empty: Database) -> None:
    migrate(empty)
    with empty.writing() as session:
        session.execute(text(FILE), {"path": b"file"})
    downgrade(empty, "0002")
    with empty.reading() as session:
        assert session.scalar(text("SELECT state FROM files")) == "indexed"
    migrate(empty)
    with empty.reading() as session:
        assert is_migrated(session.connection())
