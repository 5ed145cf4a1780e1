"""Transactions, and what the failures of a database mean."""

import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from imageserver import migrations
from imageserver.database import Base, Database, translated_errors
from imageserver.errors import DatabaseUnavailable, StorageFull
from imageserver.migrations import NewerSchema, downgrade, is_migrated, migrate
from tests.conftest import PREPARE_SQLITE_CONNECTION


class TestTransactions:
    def test_an_error_rolls_back(self, database: Database) -> None:
        with database.writing() as session:
            session.execute(text("CREATE TABLE scratch (n integer)"))
        with suppress(ZeroDivisionError), database.writing() as session:
            session.execute(text("INSERT INTO scratch VALUES (1)"))
            raise ZeroDivisionError
        with database.reading() as session:
            assert session.execute(text("SELECT count(*) FROM scratch")).scalar_one() == 0
        with database.writing() as session:
            session.execute(text("DROP TABLE scratch"))

    def test_many_writers_wait_for_each_other(self, database: Database) -> None:
        with database.writing() as session:
            session.execute(text("CREATE TABLE counter (n integer)"))
            session.execute(text("INSERT INTO counter VALUES (0)"))

        def count_up() -> None:
            for _ in range(10):
                with database.writing() as session:
                    suffix = "" if database.is_sqlite else " FOR UPDATE"
                    value = session.execute(text(f"SELECT n FROM counter{suffix}")).scalar_one()
                    session.execute(text("UPDATE counter SET n = :n"), {"n": value + 1})

        threads = [threading.Thread(target=count_up) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with database.writing() as session:
            assert session.execute(text("SELECT n FROM counter")).scalar_one() == 80
            session.execute(text("DROP TABLE counter"))

    def test_no_writer_of_the_embedded_database_starves(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if not database.is_sqlite:
            pytest.skip("PostgreSQL has many writers")
        monkeypatch.setattr("imageserver.database.STATEMENT_SECONDS", 0.05)
        hasty = Database(str(database.engine.url))
        served: list[int] = []

        def write(number: int) -> None:
            with hasty.writing() as session:
                session.execute(text("SELECT 1"))  # a transaction begins with its first statement
                time.sleep(0.03)
            served.append(number)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        hasty.dispose()
        assert sorted(served) == list(range(12))


def test_pages_that_were_read_are_kept_for_the_next_request(tmp_path: Path) -> None:
    """By the connection that read them: the one that was given back last is taken first."""
    database = Database(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    with database.asking() as first, database.asking() as second:
        assert first.connection.driver_connection is not second.connection.driver_connection
        assert first.exec_driver_sql("PRAGMA cache_size").scalar_one() == -16_000  # KiB
    used = []
    for _ in range(3):
        with database.asking() as connection:
            used.append(connection.connection.driver_connection)
    database.dispose()
    assert len(set(map(id, used))) == 1


def test_a_commit_to_the_embedded_database_survives_a_power_cut(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "file")
    PREPARE_SQLITE_CONNECTION(connection, None)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


class TestFailures:
    def test_a_server_that_is_away(self) -> None:
        away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
        with pytest.raises(DatabaseUnavailable), away.reading() as session:
            session.execute(text("SELECT 1"))

    def test_a_missing_table_means_not_migrated(self, database: Database) -> None:
        with pytest.raises(DatabaseUnavailable), database.reading() as session:
            session.execute(text("SELECT * FROM no_such_table"))

    def test_a_full_disk_is_named(self) -> None:
        with pytest.raises(StorageFull), translated_errors():
            raise OperationalError("INSERT", None, Exception("database or disk is full"))

    def test_no_error_quotes_the_values_of_a_row(self, database: Database) -> None:
        row = {"time": None, "kind": "canary-value"}
        with pytest.raises(IntegrityError) as raised, database.writing() as session:
            session.execute(text("INSERT INTO audit_events (time, kind) VALUES (:time, :kind)"), row)
        assert "canary-value" not in str(raised.value).partition("[SQL")[2]

    def test_a_mistake_of_ours_stays_unexpected(self) -> None:
        with pytest.raises(ProgrammingError), translated_errors():
            raise ProgrammingError("SELEC", None, Exception("syntax error"))


class TestMigrations:
    def test_head_is_reached_once(self, database: Database) -> None:
        migrate(database)
        with database.reading() as session:
            assert is_migrated(session.connection())

    def test_a_newer_schema_is_refused(self, database: Database) -> None:
        with database.writing() as session:
            head = session.scalar(text("SELECT version_num FROM alembic_version"))
            session.execute(text("UPDATE alembic_version SET version_num = 'future'"))
        try:
            with pytest.raises(NewerSchema):
                migrate(database)
        finally:
            with database.writing() as session:
                session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})

    def test_the_schema_is_that_of_the_models(self, database: Database) -> None:
        with database.reading() as session:
            context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
            assert compare_metadata(context, Base.metadata) == []

    def test_the_names_of_the_files_tell_their_order(self) -> None:
        scripts = ScriptDirectory.from_config(migrations._config())
        assert [script.revision for script in scripts.walk_revisions()][::-1] == list(migrations._revisions())

    def test_nothing_of_alembic_is_needed_where_nothing_is_to_be_done(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'other.sqlite3'}"
        other = Database(url)
        migrate(other)
        other.dispose()
        script = (
            "import sys; from imageserver.database import Database; from imageserver.migrations import migrate; "
            "migrate(Database(sys.argv[1])); sys.exit('alembic' in sys.modules)"
        )
        assert subprocess.run([sys.executable, "-c", script, url], check=False).returncode == 0

    def test_every_step_can_be_taken_back(self, tmp_path: Path) -> None:
        other = Database(f"sqlite:///{tmp_path / 'other.sqlite3'}")
        migrate(other)
        downgrade(other, "base")
        migrate(other)
        with other.reading() as session:
            assert is_migrated(session.connection())
        other.dispose()

    def test_the_progress_of_the_index_comes_and_goes_with_its_columns(self, tmp_path: Path) -> None:
        other = Database(f"sqlite:///{tmp_path / 'other.sqlite3'}")
        migrate(other, "0002")
        columns = "id, state, data_directory, seen, indexed, refused, generation, lease_owner, lease_until"
        with other.writing() as session:
            session.execute(
                text(f"INSERT INTO index_state ({columns}) VALUES (1, 'ready', '', 7, 6, 1, 3, '', 0)")
            )
        migrate(other, "0003")
        with other.reading() as session:
            statement = "SELECT seen, pending, remaining_seconds FROM index_state"
            assert session.execute(text(statement)).one() == (7, 0, None)
        downgrade(other, "0002")
        with other.reading() as session:
            assert session.execute(text("SELECT seen, lease_owner FROM index_state")).one() == (7, "")
        other.dispose()

    def test_series_keep_their_instances_and_entries_when_a_column_goes(self, tmp_path: Path) -> None:
        other = Database(f"sqlite:///{tmp_path / 'other.sqlite3'}")
        migrate(other, "0007")
        with other.writing() as session:
            session.execute(text("INSERT INTO studies (id, study_instance_uid) VALUES (1, '1.2')"))
            columns = "id, study_id, series_instance_uid, rank, slice_count, study_moment, verdict, is_stale"
            rest = ", arrangement, patient, warnings"
            session.execute(
                text(
                    f"INSERT INTO series ({columns}{rest}) VALUES (1, 1, '1.3', 0, 1, '', '', 1, '{{}}', '{{}}', '[]')"
                )
            )
            session.execute(
                text(
                    "INSERT INTO instances (id, series_id, sop_instance_uid, frames, patient, warnings) "
                    "VALUES (1, 1, '1.4', '[]', '{}', '[]')"
                )
            )
        downgrade(other, "0006")
        migrate(other, "0007")
        with other.reading() as session:
            assert session.scalar(text("SELECT count(*) FROM instances")) == 1
            assert session.scalar(text("SELECT is_stale FROM series")) == 0
        other.dispose()
