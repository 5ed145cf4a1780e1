"""`/auth/tokens`, and what programs may do with what it gives."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

from imageserver.accounts.models import TokenEnd, TokenRights, User
from imageserver.accounts.program_tokens import MOST_TOKENS, revoke_token
from imageserver.accounts.token_format import make_secret
from imageserver.accounts.users import set_enabled
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.api.conftest import Index
from tests.api.programs import basic, bearer, make_token, program
from tests.api.test_auth import FakeClock
from tests.builders import volume
from tests.conftest import PASSWORD, AddUser
from tests.folders import Folder

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOTE = "/measurements/11111111-2222-4333-8444-555555555555"


@pytest.fixture
def clock(app: FastAPI) -> FakeClock:
    clock = FakeClock()
    app.state.clock = clock
    return clock


@pytest.fixture
def user(database: Database, signed_in: TestClient) -> User:
    """The account of `signed_in`."""
    with database.reading() as session:
        return session.query(User).filter_by(username="ada").one()


def wish(**changes: Any) -> dict[str, Any]:
    expires = (datetime.now(UTC) + timedelta(days=90)).isoformat()
    wanted = {"name": "export", "rights": "read", "expires": expires, "current_password": PASSWORD}
    return {**wanted, **changes}


def events(database: Database, kind: str) -> list[AuditEvent]:
    with database.reading() as session:
        return session.query(AuditEvent).filter_by(kind=kind).order_by(AuditEvent.id).all()


def code_of(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestMake:
    def test_anonymous(self, client: TestClient) -> None:
        for answer in (client.post("/auth/tokens", json=wish()), client.get("/auth/tokens")):
            assert code_of(answer) == (401, "not_authenticated")
        assert client.delete(f"/auth/tokens/{'0' * 32}").status_code == 401

    def test_the_secret_is_told_once(self, app: FastAPI, signed_in: TestClient, database: Database) -> None:
        answer = signed_in.post("/auth/tokens", json=wish())
        assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
        made = answer.json()
        secret = made.pop("secret")
        assert signed_in.get("/auth/tokens").json() == {"tokens": [made]}
        assert (made["name"], made["rights"], made["last_used"]) == ("export", "read", None)
        assert secret.startswith(made["start"])
        assert program(app, **bearer(secret)).get("/volumes").status_code == 200
        (event,) = events(database, "token_made")
        assert (event.username, event.outcome, event.token_id, event.token_name) == (
            "ada",
            "success",
            made["id"],
            "export",
        )
        assert event.session_id is not None

    def test_it_asks_for_the_password(self, signed_in: TestClient, database: Database) -> None:
        answer = signed_in.post("/auth/tokens", json=wish(current_password="something quite different"))
        assert code_of(answer) == (401, "invalid_credentials")
        assert signed_in.get("/auth/tokens").json() == {"tokens": []}
        (event,) = events(database, "token_made")
        assert (event.username, event.outcome, event.reason) == ("ada", "failure", "wrong_password")

    def test_guesses_of_the_password_are_slowed_down(self, clock: FakeClock, signed_in: TestClient) -> None:
        wrong = wish(current_password="something quite different")
        statuses = [signed_in.post("/auth/tokens", json=wrong).status_code for _ in range(7)]
        assert statuses == [401] * 6 + [429]

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": ""},
            {"name": "  "},
            {"name": "x" * 65},
            {"name": "a\u0000b"},
            {"rights": "write"},
            {"rights": None},
            {"expires": "2026-11-22T12:00:00Z"},
            {"expires": (datetime.now(UTC) + timedelta(days=367)).isoformat()},
            {"expires": (datetime.now(UTC) + timedelta(days=2)).replace(tzinfo=None).isoformat()},
            {"expires": None},
            {"other": 1},
        ],
    )
    def test_bad_wishes(self, signed_in: TestClient, changes: dict[str, Any]) -> None:
        assert code_of(signed_in.post("/auth/tokens", json=wish(**changes))) == (422, "invalid_parameter")

    def test_there_is_a_limit(self, app: FastAPI, signed_in: TestClient, user: User) -> None:
        for number in range(MOST_TOKENS):
            make_token(app, user, name=f"script {number}")
        assert code_of(signed_in.post("/auth/tokens", json=wish())) == (409, "too_many_tokens")

    def test_pages_of_other_sites_may_not(self, signed_in: TestClient) -> None:
        answer = signed_in.post("/auth/tokens", json=wish(), headers={"Origin": "http://evil.example"})
        assert code_of(answer) == (403, "origin_not_allowed")


class TestRevoke:
    def test_at_once(self, app: FastAPI, signed_in: TestClient, user: User, database: Database) -> None:
        made = make_token(app, user)
        script = program(app, **bearer(made.secret))
        assert script.get("/volumes").status_code == 200
        for _ in range(2):
            assert signed_in.delete(f"/auth/tokens/{made.token.id}").status_code == 204
        answer = script.get("/volumes")
        assert code_of(answer) == (401, "not_authenticated")
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
        assert "revoked" in answer.json()["detail"]
        (event,) = events(database, "token_revoked")
        assert (event.username, event.token_name) == ("ada", "script")

    def test_of_somebody_else_is_not_found(
        self, app: FastAPI, signed_in: TestClient, add_user: AddUser
    ) -> None:
        made = make_token(app, add_user("bob"))
        others, none = (signed_in.delete(f"/auth/tokens/{name}") for name in (made.token.id, "0" * 32))
        assert code_of(others) == code_of(none) == (404, "token_not_found")
        assert others.json()["detail"] == none.json()["detail"]
        assert program(app, **bearer(made.secret)).get("/volumes").status_code == 200

    def test_an_identifier_of_another_form(self, signed_in: TestClient) -> None:
        assert code_of(signed_in.delete("/auth/tokens/x")) == (422, "invalid_parameter")


class TestPrograms:
    def test_who_it_is(self, app: FastAPI, user: User) -> None:
        made = make_token(app, user, TokenRights.READ)
        answer = program(app, **bearer(made.secret)).get("/auth/me").json()
        assert (answer["username"], answer["role"], answer["session"]) == ("ada", "admin", None)
        assert (answer["token"]["id"], answer["token"]["rights"]) == (made.token.id, "read")

    def test_read_only_refuses_to_write(self, app: FastAPI, user: User) -> None:
        script = program(app, **bearer(make_token(app, user, TokenRights.READ).secret))
        assert script.get("/volumes").status_code == script.head("/volumes").status_code == 200
        for method in ("PUT", "DELETE"):
            answer = script.request(method, NOTE, headers={"If-Match": '"x"'})
            assert code_of(answer) == (403, "forbidden")
            assert answer.headers["www-authenticate"] == (
                'Bearer error="insufficient_scope", scope="read_write"'
            )
            assert method in answer.json()["detail"]

    def test_read_and_write(self, app: FastAPI, user: User) -> None:
        script = program(app, **bearer(make_token(app, user).secret))
        assert script.delete(NOTE, headers={"If-Match": '"x"'}).status_code == 204

    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/auth/tokens"), ("POST", "/auth/tokens"), ("DELETE", f"/auth/tokens/{'0' * 32}"),
         ("POST", "/auth/password")],
    )  # fmt: skip
    def test_the_account_is_out_of_reach(self, app: FastAPI, user: User, method: str, path: str) -> None:
        script = program(app, **bearer(make_token(app, user).secret))
        answer = script.request(method, path, json={} if method == "POST" else None)
        assert code_of(answer) == (403, "forbidden")
        assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'

    def test_it_ends_no_session(self, app: FastAPI, user: User, signed_in: TestClient) -> None:
        script = program(app, **bearer(make_token(app, user).secret))
        assert script.post("/auth/logout?everywhere=true").status_code == 204
        assert script.post("/auth/refresh").status_code == 401
        assert signed_in.get("/volumes").status_code == script.get("/volumes").status_code == 200

    def test_it_expires(self, app: FastAPI, clock: FakeClock, add_user: AddUser) -> None:
        script = program(app, **bearer(make_token(app, add_user("ada"), days=1).secret))
        clock.forward(days=1, seconds=-1)
        assert script.get("/volumes").status_code == 200
        clock.forward(seconds=1)
        assert code_of(script.get("/volumes")) == (401, "token_expired")

    def test_a_disabled_user(self, app: FastAPI, user: User, database: Database) -> None:
        script = program(app, **bearer(make_token(app, user).secret))
        assert script.get("/volumes").status_code == 200
        with database.writing() as session:
            set_enabled(session, session.get_one(User, user.id), False, app.state.clock())
        assert script.get("/volumes").status_code == 401

    def test_last_used_is_told(self, app: FastAPI, clock: FakeClock, add_user: AddUser) -> None:
        user = add_user("ada")
        script = program(app, **bearer(make_token(app, user).secret))
        browser = program(app)
        token = browser.post("/auth/token", data={"username": "ada", "password": PASSWORD}).json()
        for seconds, told in ((0, 0), (30, 0), (31, 61)):
            clock.forward(seconds=seconds)
            assert script.get("/volumes").status_code == 200
            answer = browser.get("/auth/tokens", headers=bearer(token["access_token"]))
            (listed,) = answer.json()["tokens"]
            assert datetime.fromisoformat(listed["last_used"]) == START + timedelta(seconds=told)


class TestAudit:
    def test_the_record_names_the_token(
        self, app: FastAPI, user: User, folder: Folder, index: Index, database: Database
    ) -> None:
        folder.write_all(volume(3))
        index()
        one, other = (make_token(app, user, name=name) for name in ("one", "other"))
        for made in (one, other, one):
            assert program(app, **bearer(made.secret)).get("/patient").status_code == 200
        found = [(event.username, event.session_id, event.token_id, event.token_name)
                 for event in events(database, "patient")]  # fmt: skip
        assert found == [("ada", None, one.token.id, "one"), ("ada", None, other.token.id, "other")]

    def test_a_token_that_opens_nothing(self, app: FastAPI, user: User, database: Database) -> None:
        made = make_token(app, user)
        with database.writing() as session:
            revoke_token(session, made.token.id, TokenEnd.REVOKED, app.state.clock())
        for secret in (made.secret, make_secret()):
            assert program(app, **bearer(secret)).get("/volumes").status_code == 401
        assert [
            (event.username, event.reason, event.token_name, event.outcome)
            for event in events(database, "token_refused")
        ] == [("ada", "revoked", "script", "failure"), ("(unknown)", "unknown", None, "failure")]


class TestGuesses:
    def test_they_must_wait_and_good_tokens_need_not(
        self, app: FastAPI, user: User, clock: FakeClock, database: Database
    ) -> None:
        script = program(app)
        statuses = [script.get("/volumes", headers=bearer(make_secret())).status_code for _ in range(10)]
        assert statuses == [401] * 6 + [429] * 4
        answer = script.get("/volumes", headers=bearer(make_secret()))
        assert code_of(answer) == (429, "too_many_attempts")
        assert int(answer.headers["retry-after"]) == 1
        assert len(events(database, "token_refused")) == 6
        assert script.get("/volumes", headers=bearer(make_token(app, user).secret)).status_code == 200
        clock.forward(seconds=1)
        assert script.get("/volumes", headers=bearer(make_secret())).status_code == 401

    def test_passwords_are_not_held_up_by_it(self, app: FastAPI, user: User, clock: FakeClock) -> None:
        script = program(app)
        for _ in range(10):
            script.get("/volumes", headers=bearer(make_secret()))
        form = {"username": "ada", "password": PASSWORD}
        assert script.post("/auth/token", data=form).status_code == 200

    @pytest.mark.parametrize(
        "change", [lambda text: text[:-1] + "~", lambda text: text[:30], lambda text: "mis_"]
    )
    def test_an_incomplete_token_is_told_from_a_wrong_one(
        self, app: FastAPI, user: User, database: Database, change: Any
    ) -> None:
        answer = program(app).get("/volumes", headers=bearer(change(make_token(app, user).secret)))
        assert code_of(answer) == (401, "not_authenticated")
        assert "not complete" in answer.json()["detail"]
        assert events(database, "token_refused") == []


class TestBasic:
    PATH = "/dicomweb/studies/1.2.3/series/1.2.3/metadata"

    def test_a_token_is_the_password(self, app: FastAPI, user: User) -> None:
        made = make_token(app, user)
        for username in ("ada", " ADA "):
            answer = program(app).get(self.PATH, headers=basic(username, made.secret))
            assert answer.status_code == 404, username  # there is no such series

    def test_the_user_must_be_the_tokens(self, app: FastAPI, user: User, add_user: AddUser) -> None:
        add_user("bob")
        made = make_token(app, user)
        for username in ("bob", "", "eve", "a:da"):
            answer = program(app).get(self.PATH, headers=basic(username, made.secret))
            assert code_of(answer) == (401, "not_authenticated"), username

    def test_never_the_accounts_password(self, app: FastAPI, user: User) -> None:
        answer = program(app).get(self.PATH, headers=basic("ada", PASSWORD))
        assert code_of(answer) == (401, "not_authenticated")
        assert "never that of the account" in answer.json()["detail"]

    def test_not_elsewhere(self, app: FastAPI, user: User) -> None:
        made = make_token(app, user)
        for path in ("/volumes", "/auth/me", "/dicomwebs"):
            assert program(app).get(path, headers=basic("ada", made.secret)).status_code in {401, 404}, path

    @pytest.mark.parametrize(
        "header", ["Basic", "Basic ", "Basic !!!", "Basic YWRh", "Basic /w==", "Basic " + "A" * 5000]
    )
    def test_headers_that_are_not_understood(self, app: FastAPI, client: TestClient, header: str) -> None:
        answer = client.get(self.PATH, headers={"Authorization": header})
        assert code_of(answer) == (401, "not_authenticated")

    def test_programs_are_asked_for_it_and_browsers_are_not(self, client: TestClient) -> None:
        challenge = 'Bearer, Basic realm="DICOMweb", charset="UTF-8"'
        assert client.get(self.PATH).headers["www-authenticate"] == challenge
        for header in ({"Origin": "http://localhost:3000"}, {"Sec-Fetch-Mode": "navigate"}):
            assert client.get(self.PATH, headers=header).headers["www-authenticate"] == "Bearer"
        assert client.get("/volumes").headers["www-authenticate"] == "Bearer"
