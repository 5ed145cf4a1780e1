"""`imageserver token …`, run as a person would."""

import json
from datetime import timedelta

import pytest

from imageserver.accounts import program_tokens
from imageserver.accounts.models import TokenRights
from imageserver.accounts.program_tokens import NewToken
from imageserver.audit.models import AuditEvent
from imageserver.clock import utc_now
from imageserver.database import Database
from tests.commands.conftest import Run
from tests.conftest import AddUser


def make(database: Database, add_user: AddUser, username: str, days: int = 30) -> NewToken:
    now = utc_now() - timedelta(days=10)
    user = add_user(username)
    with database.writing() as session:
        expires = now + timedelta(days=days)
        return program_tokens.make_token(session, user.id, f"of {username}", TokenRights.READ, expires, now)


class TestList:
    def test_secrets_are_not_shown(
        self, run: Run, database: Database, add_user: AddUser, capsys: pytest.CaptureFixture[str]
    ) -> None:
        valid, expired = make(database, add_user, "ada"), make(database, add_user, "bob", days=5)
        assert run("token", "list") == 0
        text = capsys.readouterr().out
        assert run("token", "list", "--json") == 0
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [(row["id"], row["username"], row["name"], row["state"], row["rights"]) for row in rows] == [
            (valid.token.id, "ada", "of ada", "valid", "read"),
            (expired.token.id, "bob", "of bob", "expired", "read"),
        ]
        for made in (valid, expired):
            assert made.token.id in text
            assert made.secret not in text + str(rows)
            assert made.token.token_hash not in text + str(rows)

    def test_of_one_user(
        self, run: Run, database: Database, add_user: AddUser, capsys: pytest.CaptureFixture[str]
    ) -> None:
        make(database, add_user, "ada")
        make(database, add_user, "bob")
        assert run("token", "list", "--user", "BOB") == 0
        assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["bob"]
        assert run("token", "list", "--user", "eve") == 1

    def test_none(self, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("token", "list") == 0
        assert "no tokens" in capsys.readouterr().err


class TestRevoke:
    def test_it_opens_nothing_any_more(
        self, run: Run, database: Database, add_user: AddUser, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made = make(database, add_user, "ada")
        for _ in range(2):
            assert run("token", "revoke", made.token.id) == 0
        assert "“of ada” of ada" in capsys.readouterr().out
        with database.reading() as session:
            found = program_tokens.find_program(session, made.secret, utc_now())
            (event,) = session.query(AuditEvent).filter_by(kind="token_revoked")
        assert found is not None
        assert found.end == "revoked"
        assert (event.username, event.subject_username, event.token_name) == (
            "(command line)",
            "ada",
            "of ada",
        )

    def test_an_unknown_one(self, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("token", "revoke", "0" * 32) == 1
        assert "no token" in capsys.readouterr().err
