"""`imageserver user …`, run as a person would."""

import json
from pathlib import Path

import pytest

from imageserver.accounts.models import User
from imageserver.accounts.passwords import PasswordHasher
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.commands.conftest import Run
from tests.conftest import CHEAPEST_HASH, PASSWORD, AddUser


@pytest.fixture(autouse=True)
def _cheapest_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imageserver.commands.user.PasswordHasher", lambda: PasswordHasher(CHEAPEST_HASH))


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    return str(path)


def find(database: Database, username: str) -> User | None:
    with database.reading() as session:
        return session.query(User).filter_by(username=username).one_or_none()


class TestAdd:
    def test_the_first_is_an_administrator(self, run: Run, database: Database, password_file: str) -> None:
        assert run("user", "add", " Ada ", "--password-file", password_file) == 0
        assert run("user", "add", "bob", "--password-file", password_file) == 0
        assert run("user", "add", "eve", "--role", "admin", "--password-file", password_file) == 0
        roles = {name: user.role for name in ("ada", "bob", "eve") if (user := find(database, name))}
        assert roles == {"ada": "admin", "bob": "reader", "eve": "admin"}
        user = find(database, "ada")
        assert user is not None
        assert PasswordHasher(CHEAPEST_HASH).verify(PASSWORD, user.password_hash)

    def test_asks_twice(
        self,
        run: Run,
        database: Database,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: True)
        answers = iter([PASSWORD, PASSWORD, PASSWORD, "something else"])
        monkeypatch.setattr("getpass.getpass", lambda _prompt: next(answers))
        assert run("user", "add", "ada") == 0
        assert run("user", "add", "bob") == 1
        assert "differ" in capsys.readouterr().err
        assert find(database, "bob") is None

    @pytest.mark.parametrize(
        ("name", "password", "message"),
        [
            ("ada", "short", "at least 15"),
            ("ada", "passwordpassword", "tried first"),
            ("two words", PASSWORD, "1 to 64"),
            ("taken", PASSWORD, "taken"),
        ],
    )
    def test_refusals_are_one_line(
        self,
        run: Run,
        tmp_path: Path,
        add_user: AddUser,
        capsys: pytest.CaptureFixture[str],
        name: str,
        password: str,
        message: str,
    ) -> None:
        add_user("taken")
        (tmp_path / "p").write_text(password)
        assert run("user", "add", name, "--password-file", str(tmp_path / "p")) == 1
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1

    def test_a_missing_file(self, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("user", "add", "ada", "--password-file", "/nowhere") == 1
        assert "--password-file: cannot be read" in capsys.readouterr().err

    def test_without_a_terminal_and_file(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: False)
        assert run("user", "add", "ada") == 1

    def test_the_password_is_no_argument(self, run: Run) -> None:
        assert run("user", "add", "ada", "--password", PASSWORD) == 2
        assert run("user", "add", "ada", PASSWORD) == 2


class TestOthers:
    def test_disable_enable_list(
        self, run: Run, database: Database, add_user: AddUser, capsys: pytest.CaptureFixture[str]
    ) -> None:
        add_user("ada")
        states = []
        for command in ("disable", "disable", "enable"):
            assert run("user", command, "ADA") == 0
            capsys.readouterr()
            assert run("user", "list", "--json") == 0
            states.append(json.loads(capsys.readouterr().out)["state"])
        assert states == ["disabled", "disabled", "enabled"]
        assert run("user", "list") == 0
        assert capsys.readouterr().out.startswith("ada  admin   enabled")

    def test_reset(self, run: Run, database: Database, add_user: AddUser, tmp_path: Path) -> None:
        before = add_user("ada").password_hash
        (tmp_path / "p").write_text("another horse that is right")
        assert run("user", "reset", "ada", "--password-file", str(tmp_path / "p")) == 0
        user = find(database, "ada")
        assert user is not None
        assert user.password_hash != before
        assert PasswordHasher(CHEAPEST_HASH).verify("another horse that is right", user.password_hash)

    @pytest.mark.parametrize("command", ["disable", "enable", "reset"])
    def test_an_unknown_name(self, run: Run, capsys: pytest.CaptureFixture[str], command: str) -> None:
        assert run("user", command, "nobody") == 1
        assert "imageserver user list" in capsys.readouterr().err

    def test_an_empty_list(self, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("user", "list") == 0
        captured = capsys.readouterr()
        assert (captured.out, captured.err) == ("", "There are no accounts.\n")

    def test_changes_are_audited(self, run: Run, database: Database, password_file: str) -> None:
        for command in ("add", "disable", "enable", "reset"):
            more = ("--password-file", password_file) if command in {"add", "reset"} else ()
            run("user", command, "ada", *more)
        with database.reading() as session:
            events = session.query(AuditEvent).order_by(AuditEvent.id)
            rows = [(row.kind, row.username, row.subject_username) for row in events]
        kinds = ("user_added", "user_disabled", "user_enabled", "password_reset")
        assert rows == [(kind, "(command line)", "ada") for kind in kinds]

    def test_the_database_is_away(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("IMAGESERVER_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
        assert run("user", "list") == 1
        assert capsys.readouterr().err.startswith("imageserver: The database does not answer")
