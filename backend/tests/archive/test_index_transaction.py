"""Writing the index while another process writes into the same embedded database."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import imageserver.database
from imageserver.archive.index_transaction import index_transaction
from imageserver.database import PATIENT_TRIES, Database
from imageserver.errors import DatabaseUnavailable
from imageserver.migrations import migrate


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    url = f"sqlite:///{tmp_path / 'a.sqlite3'}"
    made = Database(url)
    migrate(made)
    made.dispose()
    monkeypatch.setattr(imageserver.database, "STATEMENT_SECONDS", 0.01)
    return Database(url)


@pytest.fixture
def other(tmp_path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(tmp_path / "a.sqlite3", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection


@pytest.mark.parametrize("refusals", range(1, PATIENT_TRIES))
def test_it_is_not_given_up_when_it_was_passed_over(
    database: Database, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    seen = []
    is_busy = imageserver.database._is_busy

    def look(error: sqlite3.OperationalError) -> bool:
        seen.append(error)
        if len(seen) == refusals:
            other.execute("ROLLBACK")
        return is_busy(error)

    monkeypatch.setattr(imageserver.database, "_is_busy", look)
    with index_transaction(database) as session:
        assert session.scalar(text("SELECT count(*) FROM index_state")) == 1
    assert len(seen) == refusals
    database.dispose()
    other.close()


def test_others_of_the_process_get_their_turn_between_its_tries(
    database: Database, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_busy = imageserver.database._is_busy
    has_turn = []

    def look(error: sqlite3.OperationalError) -> bool:
        assert database._turns is not None
        has_turn.append(database._turns.acquire(0))
        if has_turn[-1]:
            database._turns.release()
        return is_busy(error)

    monkeypatch.setattr(imageserver.database, "_is_busy", look)
    with pytest.raises(DatabaseUnavailable), index_transaction(database):
        pass
    assert has_turn == [True] * (PATIENT_TRIES - 1)
    other.close()
    database.dispose()


def test_what_the_block_raises_is_not_tried_again(database: Database) -> None:
    begun = []

    def write() -> None:
        with database.writing(is_patient=True) as session:
            begun.append(session)
            raise OperationalError("SELECT 1", {}, sqlite3.OperationalError("database is locked"))

    with pytest.raises(DatabaseUnavailable):
        write()
    assert len(begun) == 1
    database.dispose()


def test_it_is_given_up_in_the_end(database: Database, other: sqlite3.Connection) -> None:
    with pytest.raises(DatabaseUnavailable), index_transaction(database):
        pass
    other.execute("ROLLBACK")
    with index_transaction(database):
        pass
    database.dispose()
    other.close()
