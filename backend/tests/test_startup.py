"""What happens once per start: migration, the account of the settings, the set-up link."""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from imageserver.accounts import login, users
from imageserver.accounts.models import Role, User
from imageserver.accounts.passwords import PasswordHasher
from imageserver.accounts.setup import is_setup_required
from imageserver.audit.models import AuditEvent
from imageserver.clock import utc_now
from imageserver.database import Database
from imageserver.errors import DatabaseUnavailable
from imageserver.settings import Settings
from imageserver.startup import StartRefused, prepare, prepare_until_done
from tests.conftest import CHEAPEST_HASH, PASSWORD, AddUser

HASHER = PasswordHasher(CHEAPEST_HASH)


def links(caplog: pytest.LogCaptureFixture) -> list[str]:
    return re.findall(r"http://\S+/setup#code=\S+", "\n".join(caplog.messages))


def with_admin(settings: Settings, **changes: Any) -> Settings:
    values = {"admin_username": "Root", "admin_password": PASSWORD, **changes}
    return Settings(**{**settings.model_dump(), **values})


class TestSetupLink:
    def test_is_one_line_while_no_account_exists(
        self, settings: Settings, database: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        prepare(settings, database, HASHER)
        (link,) = links(caplog)
        assert link.startswith("http://localhost:3000/setup#code=")

    def test_uses_the_address_that_people_see(
        self, settings: Settings, database: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        prepare(settings.model_copy(update={"web_url": "http://pacs.lan:3000"}), database, HASHER)
        assert links(caplog)[0].startswith("http://pacs.lan:3000/setup#code=")

    def test_is_made_anew_at_each_start(
        self, settings: Settings, database: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        prepare(settings, database, HASHER)
        prepare(settings, database, HASHER)
        assert len(set(links(caplog))) == 2

    def test_is_silent_where_an_account_exists(
        self, settings: Settings, database: Database, add_user: AddUser, caplog: pytest.LogCaptureFixture
    ) -> None:
        add_user("ada")
        prepare(settings, database, HASHER)
        assert links(caplog) == []

    def test_is_printed_at_every_log_level(
        self, settings: Settings, database: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        root = logging.getLogger()
        level = root.level
        root.setLevel(logging.CRITICAL)
        try:
            prepare(settings, database, HASHER)
        finally:
            root.setLevel(level)
        assert len(links(caplog)) == 1


class TestAdminOfTheSettings:
    def test_is_created(
        self, settings: Settings, database: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        prepare(with_admin(settings), database, HASHER)
        verdict = login.check_password(database, HASHER, "root", PASSWORD, "x", utc_now())
        assert verdict.reason is login.Reason.RIGHT
        with database.reading() as session:
            assert session.query(User).one().role == Role.ADMIN
            event = session.query(AuditEvent).one()
        assert (event.kind, event.username, event.subject_username) == ("user_added", "(settings)", "root")
        assert links(caplog) == []
        assert PASSWORD not in caplog.text

    def test_password_from_a_file(self, settings: Settings, database: Database, tmp_path: Path) -> None:
        file = tmp_path / "password"
        file.write_text(PASSWORD + "\n")
        prepare(with_admin(settings, admin_password="", admin_password_file=file), database, HASHER)
        verdict = login.check_password(database, HASHER, "root", PASSWORD, "x", utc_now())
        assert verdict.reason is login.Reason.RIGHT

    def test_a_changed_password_is_never_reset(
        self, settings: Settings, database: Database, add_user: AddUser
    ) -> None:
        add_user("root", password="another one since then")
        prepare(with_admin(settings), database, HASHER)
        verdict = login.check_password(database, HASHER, "root", PASSWORD, "x", utc_now())
        assert verdict.reason is login.Reason.WRONG_PASSWORD

    def test_a_disabled_one_stays_disabled(
        self, settings: Settings, database: Database, add_user: AddUser
    ) -> None:
        user = add_user("root")
        with database.writing() as session:
            users.set_enabled(session, session.merge(user), False, utc_now())
        prepare(with_admin(settings), database, HASHER)
        with database.reading() as session:
            assert not session.query(User).one().is_enabled

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"admin_password": "short"}, "IMAGESERVER_ADMIN_PASSWORD: .*at least 15"),
            ({"admin_password": "passwordpassword"}, "IMAGESERVER_ADMIN_PASSWORD: "),
            ({"admin_password": "x" * 2000}, "IMAGESERVER_ADMIN_PASSWORD: "),
            ({"admin_username": "two words"}, "IMAGESERVER_ADMIN_USERNAME: "),
            (
                {"admin_password": "", "admin_password_file": Path("/nowhere/password")},
                "IMAGESERVER_ADMIN_PASSWORD_FILE: cannot be read",
            ),
        ],
    )
    def test_bad_values_refuse_the_start(
        self, settings: Settings, database: Database, changes: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(StartRefused, match=message) as raised:
            prepare(with_admin(settings, **changes), database, HASHER)
        assert "passwordpassword" not in str(raised.value)
        with database.reading() as session:
            assert is_setup_required(session)


class ReturningDatabase(Database):
    """Does not answer the first few times."""

    def __init__(self, url: str, failures: int) -> None:
        super().__init__(url)
        self.failures = failures

    @property
    def is_sqlite(self) -> bool:
        return False

    @contextmanager
    def writing(self) -> Iterator[Any]:
        if self.failures:
            self.failures -= 1
            raise DatabaseUnavailable("The database does not answer; try again in a moment.")
        with super().writing() as session:
            yield session


class TestWaiting:
    def test_tries_until_the_database_answers(
        self,
        settings: Settings,
        database_url: str,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("imageserver.startup.RETRY_SECONDS", 0.01)
        late = ReturningDatabase(database_url, failures=3)
        refused: list[str] = []
        prepare_until_done(settings, late, threading.Event(), refused.append)
        assert refused == []
        assert caplog.messages.count("waiting for the database") == 3
        assert len(links(caplog)) == 1
        late.dispose()

    def test_ends_when_the_server_stops(self, settings: Settings) -> None:
        stopping = threading.Event()
        away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
        thread = threading.Thread(target=prepare_until_done, args=(settings, away, stopping, print))
        thread.start()
        stopping.set()
        thread.join(timeout=60)
        assert not thread.is_alive()

    def test_any_other_failure_is_a_refusal(
        self, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(_database: Database) -> None:
            raise RuntimeError("a mistake")

        monkeypatch.setattr("imageserver.startup.migrate", fail)
        refused: list[str] = []
        prepare_until_done(settings, database, threading.Event(), refused.append)
        assert refused == ["preparing failed with RuntimeError; the log has the details"]

    def test_a_newer_schema_is_a_refusal(self, settings: Settings, database: Database) -> None:
        with database.writing() as session:
            head = session.scalar(text("SELECT version_num FROM alembic_version"))
            session.execute(text("UPDATE alembic_version SET version_num = 'future'"))
        refused: list[str] = []
        try:
            prepare_until_done(settings, database, threading.Event(), refused.append)
        finally:
            with database.writing() as session:
                session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head})
        assert len(refused) == 1
        assert "future" in refused[0]

    @pytest.mark.parametrize("content", [None, b"this is no database file" * 50])
    def test_a_sqlite_file_that_cannot_be_used_is_a_refusal(
        self, settings: Settings, tmp_path: Path, content: bytes | None
    ) -> None:
        path = tmp_path / "folder" / "file"
        path.parent.mkdir()
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)
        broken = Database(f"sqlite:///{path}")
        refused: list[str] = []
        prepare_until_done(settings, broken, threading.Event(), refused.append)
        assert len(refused) == 1
        assert refused[0].startswith("IMAGESERVER_STATE_DIR: the SQLite database cannot be used")
        assert "\n" not in refused[0]
        broken.dispose()
