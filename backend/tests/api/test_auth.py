"""`/auth/…` over HTTP: logging in and out, the session, the password, the first account."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from types import MappingProxyType
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

from imageserver.accounts import setup, users
from imageserver.accounts.keys import make_signing_keys
from imageserver.accounts.models import User, UserSession
from imageserver.accounts.tokens import issue_access_token
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from imageserver.main import create_app
from tests.accounts.test_tokens import ALL_FORGED
from tests.conftest import PASSWORD, AddUser

PAGE = "http://localhost:3000"
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FOREIGN_ORIGINS = [
    "http://evil.example", "null", "*", "", "http://localhost", "http://localhost:3001", "https://localhost:3000",
    "http://localhost:3000.evil.example", "http://evil.example#http://localhost:3000", "file://", "http://127.0.0.2:3000",
    "http://LOCALHOST:3000",
]  # fmt: skip

SENDABLE = {name: token for name, token in ALL_FORGED.items() if token.isascii() and len(token) < 50_000}


class FakeClock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def clock(app: FastAPI) -> FakeClock:
    clock = FakeClock()
    app.state.clock = clock
    return clock


@pytest.fixture
def new_browser(app: FastAPI) -> Iterator[Callable[..., TestClient]]:
    """Function that opens a browser: it keeps cookies, and names its page's origin."""
    browsers: list[TestClient] = []

    def open_browser(address: str = "192.0.2.7", base_url: str = "http://localhost:8000") -> TestClient:
        browser = TestClient(app, base_url=base_url, raise_server_exceptions=False, client=(address, 50000))
        browser.headers["Origin"] = PAGE
        browsers.append(browser)
        return browser

    yield open_browser
    for browser in browsers:
        browser.close()


@pytest.fixture
def browser(new_browser: Callable[..., TestClient]) -> TestClient:
    return new_browser()


def log_in(client: TestClient, username: str = "ada", password: str = PASSWORD) -> Response:
    answer = client.post("/auth/token", data={"username": username, "password": password})
    if answer.status_code == 200:
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return answer


def events(database: Database) -> list[tuple[Any, ...]]:
    with database.reading() as session:
        rows = session.query(AuditEvent).order_by(AuditEvent.id)
        return [(row.kind, row.outcome, row.reason, row.username, row.subject_username) for row in rows]


def code_of(answer: Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


class TestToken:
    def test_right_password(self, browser: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        answer = log_in(browser)
        assert answer.status_code == 200
        assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
        assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("bearer", 900)
        assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize("case", ["wrong password", "unknown user", "disabled user"])
    def test_refusals_are_equal_but_for_the_request_id(
        self, browser: TestClient, database: Database, add_user: AddUser, case: str
    ) -> None:
        user = add_user("ada")
        reference = log_in(browser, "ada", "wrong")
        if case == "disabled user":
            with database.writing() as session:
                users.set_enabled(session, session.merge(user), False, START)
        name, password = (
            ("bob" if case == "unknown user" else "ada"),
            "wrong" if "wrong" in case else PASSWORD,
        )
        answer = log_in(browser, name, password)
        assert code_of(answer) == (401, "invalid_credentials")
        assert {**answer.json(), "request_id": ""} == {**reference.json(), "request_id": ""}
        differing = {"x-request-id"}
        assert {k: v for k, v in answer.headers.items() if k not in differing} == {
            k: v for k, v in reference.headers.items() if k not in differing
        }
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "set-cookie" not in answer.headers

    @pytest.mark.parametrize("name", [" ada ", "ADA", "Ada\t", "ａｄａ"])
    def test_the_rule_of_user_names(self, browser: TestClient, add_user: AddUser, name: str) -> None:
        add_user("ada")
        assert log_in(browser, name).status_code == 200

    @pytest.mark.parametrize(
        "name",
        ["' OR '1'='1", "ada'--", "<script>alert(1)</script>", "ada\0", "a\x1b[2J", "*", "%", "ada\r\nX: y"],
    )
    def test_hostile_names_do_nothing(self, browser: TestClient, add_user: AddUser, name: str) -> None:
        add_user("ada")
        answer = log_in(browser, name)
        assert code_of(answer) == (401, "invalid_credentials")
        assert name not in answer.text

    @pytest.mark.parametrize(
        "password", ["  a horse  with spaces  ", "🩻" * 20, "x" * 200, "ж" * 100, "a+b&c=d%20e;f"]
    )
    def test_passwords_of_all_kinds(self, browser: TestClient, add_user: AddUser, password: str) -> None:
        add_user("ada", password=password)
        assert log_in(browser, password=password).status_code == 200
        assert log_in(browser, password=password + "x").status_code == 401

    @pytest.mark.parametrize(
        "form",
        [
            {},
            {"username": "ada"},
            {"password": PASSWORD},
            {"username": "", "password": PASSWORD},
            {"username": "ada", "password": ""},
            {"username": "   ", "password": PASSWORD},
            {"username": "ada", "password": " \t\n"},
            {"username": "x" * 257, "password": PASSWORD},
            {"username": "ada", "password": "x" * 1025},
            {"username": "ada", "password": "ж" * 513},
            {"username": "ada", "password": PASSWORD, "grant_type": "client_credentials"},
        ],
    )
    def test_malformed_forms(self, browser: TestClient, add_user: AddUser, form: dict[str, str]) -> None:
        add_user("ada")
        answer = browser.post("/auth/token", data=form)
        assert code_of(answer) == (422, "invalid_parameter")
        assert PASSWORD not in answer.text

    def test_other_content(self, browser: TestClient) -> None:
        assert browser.post("/auth/token", json={"username": "a", "password": "b"}).status_code == 422
        assert (
            browser.post("/auth/token", content=b"\xff\xfe", headers={"Content-Type": "x"}).status_code == 422
        )
        many = {f"field{number}": "x" for number in range(1500)}
        assert browser.post("/auth/token", data=many).status_code in {400, 413, 422}
        multipart = {"username": (None, "ada"), "password": ("p.txt", b"file")}
        assert browser.post("/auth/token", files=multipart).status_code == 422

    def test_the_password_in_the_address_is_not_read(self, browser: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        answer = browser.post("/auth/token", params={"username": "ada", "password": PASSWORD})
        assert answer.status_code == 422
        assert browser.get("/auth/token").status_code == 405

    def test_a_full_hash_pool(self, app: FastAPI, browser: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        hasher = app.state.password_hasher
        held = [hasher._places.acquire(blocking=False) for _ in range(1000)]
        assert True in held
        answer = log_in(browser)
        assert code_of(answer) == (503, "busy")
        assert int(answer.headers["retry-after"]) > 0


class TestThrottling:
    def test_the_seventh_wrong_try_must_wait(
        self, browser: TestClient, add_user: AddUser, clock: FakeClock
    ) -> None:
        add_user("ada")
        statuses = [log_in(browser, password="wrong").status_code for _ in range(8)]
        assert statuses == [401] * 6 + [429] * 2
        answer = log_in(browser)
        assert code_of(answer) == (429, "too_many_attempts")
        assert answer.headers["retry-after"] == "1"
        clock.forward(seconds=1)
        assert log_in(browser).status_code == 200

    @pytest.mark.parametrize("name", ["ada", "nobody"])
    def test_per_account_from_everywhere(
        self, new_browser: Callable[..., TestClient], add_user: AddUser, clock: FakeClock, name: str
    ) -> None:
        add_user("ada")
        answers = [log_in(new_browser(f"203.0.113.{n}"), name, "wrong").status_code for n in range(8)]
        assert answers == [401] * 6 + [429] * 2

    def test_per_address_for_all_accounts(
        self, browser: TestClient, new_browser: Callable[..., TestClient], add_user: AddUser, clock: FakeClock
    ) -> None:
        add_user("ada")
        assert [log_in(browser, f"user{n}", "x").status_code for n in range(8)] == [401] * 6 + [429] * 2
        assert log_in(browser).status_code == 429
        assert log_in(new_browser("192.0.2.8")).status_code == 200

    def test_nobody_is_kept_out_for_long(
        self, browser: TestClient, add_user: AddUser, clock: FakeClock
    ) -> None:
        add_user("ada")
        longest = 0
        for _ in range(40):
            answer = log_in(browser, password="wrong")
            wait = int(answer.headers.get("retry-after", "0"))
            longest = max(longest, wait)
            clock.forward(seconds=wait)
        assert longest == 900
        clock.forward(seconds=900)
        assert log_in(browser).status_code == 200


class TestCookie:
    def test_attributes(self, browser: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        (morsel,) = SimpleCookie(log_in(browser).headers["set-cookie"]).values()
        assert morsel.key == "imageserver_session"
        assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "strict", "/auth/")
        assert (morsel["domain"], morsel["secure"], morsel["max-age"], morsel["expires"]) == ("", "", "", "")

    def test_is_secure_exactly_on_https(
        self, new_browser: Callable[..., TestClient], add_user: AddUser
    ) -> None:
        add_user("ada")
        browser = new_browser(base_url="https://localhost:8000")
        answer = log_in(browser)
        assert "; Secure" in answer.headers["set-cookie"]
        assert browser.post("/auth/refresh").status_code == 200

    def test_logging_in_again_ends_the_session_whose_cookie_is_replaced(
        self, browser: TestClient, add_user: AddUser
    ) -> None:
        add_user("ada")
        add_user("bob")
        old = log_in(browser).json()["access_token"]
        assert log_in(browser, "bob").status_code == 200
        answer = browser.get("/auth/me", headers={"Authorization": f"Bearer {old}"})
        assert code_of(answer) == (401, "session_ended")
        assert browser.get("/auth/me").json()["username"] == "bob"

    def test_a_failed_log_in_ends_nothing(self, browser: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        log_in(browser)
        log_in(browser, "ada", "wrong")
        assert browser.get("/auth/me").status_code == 200

    def test_is_worth_nothing_outside_auth(
        self, app: FastAPI, browser: TestClient, add_user: AddUser
    ) -> None:
        add_user("ada")
        value = SimpleCookie(log_in(browser).headers["set-cookie"])["imageserver_session"].value
        headers = {"Cookie": f"imageserver_session={value}", "Authorization": ""}
        for path in ("/auth/me", "/volumes", "/patient", "/slice"):
            assert browser.get(path, headers=headers).status_code == 401
        assert browser.get("/auth/me", headers={"Authorization": f"Bearer {value}"}).status_code == 401


class TestRefresh:
    def test_anonymous(self, browser: TestClient) -> None:
        assert code_of(browser.post("/auth/refresh")) == (401, "not_authenticated")

    def test_gives_the_next_token_of_the_same_session(self, browser: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        first = log_in(browser).json()["access_token"]
        session = browser.get("/auth/me").json()["session"]["id"]
        answer = browser.post("/auth/refresh")
        assert answer.status_code == 200
        assert (answer.json()["username"], answer.json()["session_id"]) == ("ada", session)
        assert answer.json()["access_token"] != first
        assert "set-cookie" not in answer.headers
        browser.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        assert browser.get("/auth/me").json()["session"]["id"] == session

    def test_the_access_token_is_no_cookie(self, browser: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        token = log_in(browser).json()["access_token"]
        browser.cookies.clear()
        answer = browser.post("/auth/refresh", headers={"Cookie": f"imageserver_session={token}"})
        assert code_of(answer) == (401, "session_ended")

    def test_not_for_foreign_pages(self, browser: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        log_in(browser)
        for origin in FOREIGN_ORIGINS:
            answer = browser.post("/auth/refresh", headers={"Origin": origin})
            assert code_of(answer) == (403, "origin_not_allowed"), origin
            assert "access_token" not in answer.text

    def test_not_without_an_origin(self, browser: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        log_in(browser)
        del browser.headers["Origin"]
        assert code_of(browser.post("/auth/refresh")) == (403, "origin_not_allowed")

    def test_not_with_two_origins(self, browser: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        log_in(browser)
        del browser.headers["Origin"]
        two = [("Origin", PAGE), ("Origin", PAGE)]
        assert code_of(browser.post("/auth/refresh", headers=two)) == (403, "origin_not_allowed")

    def test_the_apis_own_page_may(self, browser: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        log_in(browser)
        assert browser.post("/auth/refresh", headers={"Origin": "http://localhost:8000"}).status_code == 200

    def test_not_after_the_idle_time(self, browser: TestClient, add_user: AddUser, clock: FakeClock) -> None:
        add_user("ada")
        log_in(browser)
        clock.forward(minutes=29, seconds=59)
        assert browser.post("/auth/refresh").status_code == 200
        clock.forward(minutes=30)
        assert code_of(browser.post("/auth/refresh")) == (401, "session_ended")

    def test_the_last_token_ends_with_the_session(
        self, browser: TestClient, add_user: AddUser, clock: FakeClock
    ) -> None:
        add_user("ada")
        log_in(browser)
        for _ in range(35):
            clock.forward(minutes=20)
            assert browser.post("/auth/refresh").status_code == 200
        clock.forward(minutes=15)  # 11 h 55 min
        assert browser.post("/auth/refresh").json()["expires_in"] == 300
        clock.forward(minutes=5)
        assert code_of(browser.post("/auth/refresh")) == (401, "session_ended")


class TestMe:
    def test_anonymous(self, client: TestClient) -> None:
        answer = client.get("/auth/me")
        assert code_of(answer) == (401, "not_authenticated")
        assert answer.headers["www-authenticate"] == "Bearer"

    def test_signed_in(self, browser: TestClient, add_user: AddUser, clock: FakeClock) -> None:
        add_user("ada")
        add_user("bob")
        log_in(browser, "bob")
        body = browser.get("/auth/me").json()
        assert (body["username"], body["role"]) == ("bob", "reader")
        assert datetime.fromisoformat(body["session"]["started"]) == START
        assert datetime.fromisoformat(body["session"]["expires"]) == START + timedelta(hours=12)
        assert body["session"]["idle_seconds"] == 30 * 60

    @pytest.mark.parametrize(
        "header",
        ["", "Bearer", "Bearer ", "bearer\t", "Basic YWRhOnBhc3N3b3Jk", "Token x", "Bearer a b", "x", "Bearer\u00a0x",
         "Digest username=ada", "Bearer,", "Negotiate"],
    )  # fmt: skip
    def test_malformed_headers(self, client: TestClient, header: str) -> None:
        answer = client.get("/auth/me", headers={"Authorization": header.encode("latin-1")})
        assert code_of(answer) == (401, "not_authenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")

    def test_two_headers(self, signed_in: TestClient) -> None:
        token = signed_in.headers.pop("Authorization")
        two = [("Authorization", token), ("Authorization", token)]
        assert code_of(signed_in.get("/auth/me", headers=two)) == (401, "not_authenticated")
        assert signed_in.get("/auth/me", headers={"Authorization": token}).status_code == 200

    def test_the_scheme_may_be_written_in_any_case(self, signed_in: TestClient) -> None:
        token = signed_in.headers["Authorization"].removeprefix("Bearer ")
        assert signed_in.get("/auth/me", headers={"Authorization": f"bEaReR {token}"}).status_code == 200

    def test_forged_tokens(self, client: TestClient) -> None:
        for name, token in SENDABLE.items():
            answer = client.get("/auth/me", headers={"Authorization": f"Bearer {token}".encode()})
            assert code_of(answer) == (401, "not_authenticated"), name

    def test_invalid_tokens_are_named_so(self, client: TestClient) -> None:
        answer = client.get("/auth/me", headers={"Authorization": "Bearer abc.def.ghi"})
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'

    def test_an_expired_token(self, browser: TestClient, add_user: AddUser, clock: FakeClock) -> None:
        add_user("ada")
        log_in(browser)
        clock.forward(minutes=15, seconds=10)
        answer = browser.get("/auth/me")
        assert code_of(answer) == (401, "token_expired")
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'

    def test_tokens_of_another_server(self, browser: TestClient, app: FastAPI, add_user: AddUser) -> None:
        add_user("ada")
        log_in(browser)
        app.state.signing_keys = make_signing_keys(b"another key that is just as long")
        assert code_of(browser.get("/auth/me")) == (401, "not_authenticated")
        assert code_of(browser.post("/auth/refresh")) == (401, "session_ended")

    def test_a_new_key_before_the_old_one_ends_no_session(
        self, browser: TestClient, app: FastAPI, add_user: AddUser
    ) -> None:
        add_user("ada")
        log_in(browser)
        old, new = app.state.signing_keys.signing.secret, b"another key that is just as long"
        app.state.signing_keys = make_signing_keys(new, old)
        assert browser.get("/auth/me").status_code == 200
        assert browser.post("/auth/refresh").status_code == 200
        app.state.signing_keys = make_signing_keys(new)
        assert browser.post("/auth/refresh").status_code == 200

    def test_a_token_of_one_user_with_the_session_of_another(
        self, app: FastAPI, client: TestClient, database: Database, add_user: AddUser, browser: TestClient
    ) -> None:
        log_in_as = add_user("ada")
        eve = add_user("eve")
        log_in(browser)
        session_id = browser.get("/auth/me").json()["session"]["id"]
        assert log_in_as.id != eve.id
        now = app.state.clock()
        token, _ = issue_access_token(
            app.state.signing_keys, eve.id, session_id, now + timedelta(hours=1), now
        )
        answer = client.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert code_of(answer) == (401, "session_ended")

    def test_a_removed_user(self, signed_in: TestClient, database: Database) -> None:
        with database.writing() as session:
            session.delete(session.query(User).one())
        assert code_of(signed_in.get("/auth/me")) == (401, "session_ended")

    def test_a_changed_role_counts_at_once(self, signed_in: TestClient, database: Database) -> None:
        with database.writing() as session:
            session.query(User).one().role = "reader"
        assert signed_in.get("/auth/me").json()["role"] == "reader"

    def test_without_the_database_nobody_is_let_in(self, app: FastAPI, signed_in: TestClient) -> None:
        working = app.state.database
        app.state.database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
        answer = signed_in.get("/auth/me")
        app.state.database = working
        assert code_of(answer) == (503, "database_unavailable")
        assert "retry-after" in answer.headers

    def test_the_access_log_names_the_user(
        self, signed_in: TestClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level("INFO", "imageserver.access"):
            signed_in.get("/auth/me")
        assert caplog.records[-1].__dict__["user"] == "ada"
        assert signed_in.headers["Authorization"].split()[1] not in json.dumps(
            [record.__dict__ for record in caplog.records], default=str
        )


class TestLogout:
    """Ending the session only in the browser is the classic mistake: each test uses the old token once more."""

    def test_the_token_is_dead_at_once(self, signed_in: TestClient) -> None:
        assert signed_in.post("/auth/logout").status_code == 204
        answer = signed_in.get("/auth/me")
        assert code_of(answer) == (401, "session_ended")
        assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'

    def test_in_every_worker(self, signed_in: TestClient, settings: Any) -> None:
        worker = create_app(settings)
        other = TestClient(worker, base_url="http://localhost:8000")
        headers = {"Authorization": signed_in.headers["Authorization"]}
        assert other.get("/auth/me", headers=headers).status_code == 200
        signed_in.post("/auth/logout")
        assert other.get("/auth/me", headers=headers).status_code == 401
        worker.state.database.dispose()

    def test_the_cookie_is_dead_too(self, browser: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        value = SimpleCookie(log_in(browser).headers["set-cookie"])["imageserver_session"].value
        answer = browser.post("/auth/logout")
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert "Path=/auth/" in answer.headers["set-cookie"]
        assert browser.cookies.get("imageserver_session") is None
        kept = browser.post("/auth/refresh", headers={"Cookie": f"imageserver_session={value}"})
        assert code_of(kept) == (401, "session_ended")

    def test_is_idempotent_and_public(self, client: TestClient, signed_in: TestClient) -> None:
        assert [signed_in.post("/auth/logout").status_code for _ in range(3)] == [204] * 3
        assert client.post("/auth/logout").status_code == 204
        assert client.post("/auth/logout", headers={"Authorization": "Bearer nonsense"}).status_code == 204
        assert client.post("/auth/logout", headers={"Authorization": "Basic x"}).status_code == 204

    def test_by_an_expired_token(self, browser: TestClient, add_user: AddUser, clock: FakeClock) -> None:
        add_user("ada")
        log_in(browser)
        cookie = browser.cookies["imageserver_session"]
        browser.cookies.clear()
        clock.forward(minutes=20)
        assert browser.post("/auth/logout").status_code == 204
        again = browser.post("/auth/refresh", headers={"Cookie": f"imageserver_session={cookie}"})
        assert code_of(again) == (401, "session_ended")

    def test_by_cookie_alone(self, browser: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        log_in(browser)
        token = browser.headers.pop("Authorization")
        assert browser.post("/auth/logout").status_code == 204
        assert browser.get("/auth/me", headers={"Authorization": token}).status_code == 401

    def test_a_forged_token_ends_nothing(self, client: TestClient, signed_in: TestClient) -> None:
        for token in SENDABLE.values():
            headers = {"Authorization": f"Bearer {token}".encode()}
            assert client.post("/auth/logout", headers=headers).status_code == 204
        assert signed_in.get("/auth/me").status_code == 200

    def test_a_foreign_page_cannot_log_anybody_out(self, browser: TestClient, add_user: AddUser) -> None:
        add_user("ada")
        log_in(browser)
        token = browser.headers.pop("Authorization")
        del browser.headers["Origin"]
        for headers in [{}, *({"Origin": origin} for origin in FOREIGN_ORIGINS)]:
            answer = browser.post("/auth/logout", headers=headers)
            assert code_of(answer) == (403, "origin_not_allowed"), headers
        assert browser.get("/auth/me", headers={"Authorization": token}).status_code == 200

    def test_other_browsers_stay(self, new_browser: Callable[..., TestClient], add_user: AddUser) -> None:
        add_user("ada")
        first, second = new_browser(), new_browser()
        log_in(first)
        log_in(second)
        first.post("/auth/logout")
        assert (first.get("/auth/me").status_code, second.get("/auth/me").status_code) == (401, 200)

    def test_everywhere(self, new_browser: Callable[..., TestClient], add_user: AddUser) -> None:
        add_user("ada")
        add_user("bob")
        first, second, others = new_browser(), new_browser(), new_browser()
        for browser, name in ((first, "ada"), (second, "ada"), (others, "bob")):
            log_in(browser, name)
        assert first.post("/auth/logout", params={"everywhere": "true"}).status_code == 204
        assert [b.get("/auth/me").status_code for b in (first, second, others)] == [401, 401, 200]

    def test_a_session_whose_time_is_over_ends_no_other(
        self, new_browser: Callable[..., TestClient], add_user: AddUser, clock: FakeClock
    ) -> None:
        add_user("ada")
        old, present = new_browser(), new_browser()
        log_in(old)
        clock.forward(hours=13)
        log_in(present)
        assert old.post("/auth/logout", params={"everywhere": "true"}).status_code == 204
        assert present.get("/auth/me").status_code == 200

    def test_a_tab_of_the_former_user_does_not_log_the_present_one_out(
        self, browser: TestClient, add_user: AddUser
    ) -> None:
        add_user("ada")
        add_user("bob")
        log_in(browser)
        old = browser.headers["Authorization"]
        log_in(browser, "bob")
        answer = browser.post("/auth/logout", headers={"Authorization": old})
        assert answer.status_code == 204
        assert "set-cookie" not in answer.headers
        assert browser.post("/auth/refresh").json()["username"] == "bob"

    def test_tells_the_browser_to_forget_pictures(self, signed_in: TestClient) -> None:
        assert signed_in.post("/auth/logout").headers["clear-site-data"] == '"cache"'

    def test_malformed_parameter(self, signed_in: TestClient) -> None:
        assert code_of(signed_in.post("/auth/logout?everywhere=perhaps")) == (422, "invalid_parameter")
        assert signed_in.get("/auth/me").status_code == 200

    def test_no_204_while_the_end_is_not_durable(self, app: FastAPI, signed_in: TestClient) -> None:
        working = app.state.database
        app.state.database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
        assert code_of(signed_in.post("/auth/logout")) == (503, "database_unavailable")
        app.state.database = working
        assert signed_in.get("/auth/me").status_code == 200


class TestPassword:
    NEW = "another horse that is right"

    def change(self, client: TestClient, current: str = PASSWORD, new: str = NEW, **headers: str) -> Response:
        body = {"current_password": current, "new_password": new}
        return client.post("/auth/password", json=body, headers=headers)

    def test_anonymous(self, client: TestClient) -> None:
        assert code_of(self.change(client)) == (401, "not_authenticated")

    def test_changes_it_and_ends_all_other_sessions(
        self, new_browser: Callable[..., TestClient], add_user: AddUser
    ) -> None:
        add_user("ada")
        first, second = new_browser(), new_browser()
        log_in(first)
        log_in(second)
        assert self.change(first).status_code == 204
        assert (first.get("/auth/me").status_code, second.get("/auth/me").status_code) == (200, 401)
        assert second.post("/auth/refresh").status_code == 401
        assert log_in(second).status_code == 401
        assert log_in(second, password=self.NEW).status_code == 200

    def test_a_copy_of_the_cookie_is_worth_nothing_afterwards(
        self, new_browser: Callable[..., TestClient], add_user: AddUser
    ) -> None:
        add_user("ada")
        browser, thief = new_browser(), new_browser()
        log_in(browser)
        thief.cookies.update(browser.cookies)
        assert self.change(browser, current="wrong").status_code == 401
        assert thief.post("/auth/refresh").status_code == 200
        assert self.change(browser).status_code == 204
        assert code_of(thief.post("/auth/refresh")) == (401, "session_ended")
        assert browser.post("/auth/refresh").status_code == 200

    def test_the_cookie_of_another_tab_stays(
        self, new_browser: Callable[..., TestClient], add_user: AddUser
    ) -> None:
        add_user("ada")
        add_user("bob")
        tab, other = new_browser(), new_browser()
        log_in(tab)
        log_in(other, "bob")
        tab.cookies.clear()
        tab.cookies.update(other.cookies)  # somebody else logged in beside it
        answer = self.change(tab)
        assert (answer.status_code, "set-cookie" in answer.headers) == (204, False)
        assert other.post("/auth/refresh").json()["username"] == "bob"

    def test_needs_the_present_one(self, signed_in: TestClient) -> None:
        assert code_of(self.change(signed_in, current="wrong")) == (401, "invalid_credentials")
        assert code_of(signed_in.post("/auth/password", json={"new_password": self.NEW})) == (
            422,
            "invalid_parameter",
        )
        assert log_in(signed_in).status_code == 200

    def test_guesses_are_slowed_down(self, signed_in: TestClient, clock: FakeClock) -> None:
        log_in(signed_in)
        answers = [self.change(signed_in, current="wrong").status_code for _ in range(7)]
        assert answers == [401] * 6 + [429]

    @pytest.mark.parametrize(
        "new", ["short", "passwordpassword", "ada ada ada ada ada ada", "imageserver-2026-11-22"]
    )
    def test_the_rule(self, signed_in: TestClient, add_user: AddUser, new: str) -> None:
        add_user("adalovelace")
        log_in(signed_in, "adalovelace")
        new = new.replace("ada", "adalovelace")
        answer = self.change(signed_in, new=new)
        assert code_of(answer) == (422, "weak_password")
        assert new not in answer.text

    @pytest.mark.parametrize("new", ["x" * 1025, "ж" * 513, "", "   "])
    def test_limits(self, signed_in: TestClient, new: str) -> None:
        assert code_of(self.change(signed_in, new=new)) == (422, "invalid_parameter")

    def test_a_lone_surrogate(self, signed_in: TestClient) -> None:
        body = b'{"current_password": "x", "new_password": "\\ud800 long enough to be one"}'
        answer = signed_in.post("/auth/password", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422

    def test_not_for_foreign_pages(self, signed_in: TestClient) -> None:
        for origin in FOREIGN_ORIGINS:
            assert code_of(self.change(signed_in, Origin=origin)) == (403, "origin_not_allowed"), origin
        assert log_in(signed_in).status_code == 200


class TestSetup:
    BODY = MappingProxyType({"username": " Ada ", "password": PASSWORD})

    @pytest.fixture
    def code(self, database: Database, app: FastAPI) -> str:
        with database.writing() as session:
            return setup.make_setup_code(session, app.state.clock()) or ""

    def test_makes_the_first_account(self, browser: TestClient, code: str) -> None:
        assert browser.get("/auth/status").json()["setup_required"] is True
        answer = browser.post("/auth/setup", json={"code": code, **self.BODY})
        assert (answer.status_code, answer.json()) == (201, {"username": "ada", "role": "admin"})
        assert browser.get("/auth/status").json()["setup_required"] is False
        assert log_in(browser).status_code == 200

    def test_the_page_is_told_how_long_a_password_must_be(self, browser: TestClient) -> None:
        # NIST SP 800-63B-4, section 3.1.1.2: 15 characters where the password is the only factor.
        assert browser.get("/auth/status").json()["min_password_length"] == 15

    def test_works_once(self, browser: TestClient, code: str) -> None:
        browser.post("/auth/setup", json={"code": code, **self.BODY})
        again = browser.post("/auth/setup", json={"code": code, "username": "eve", "password": PASSWORD})
        assert code_of(again) == (409, "setup_done")

    def test_not_beside_an_account(self, browser: TestClient, code: str, add_user: AddUser) -> None:
        add_user("bob")
        assert code_of(browser.post("/auth/setup", json={"code": code, **self.BODY})) == (409, "setup_done")

    @pytest.mark.parametrize("wrong", ["x", "A" * 43, "\u0000", "' OR 1=1"])
    def test_needs_the_code(self, browser: TestClient, code: str, wrong: str) -> None:
        answer = browser.post("/auth/setup", json={"code": wrong, **self.BODY})
        assert code_of(answer) == (401, "invalid_credentials")
        assert browser.get("/auth/status").json()["setup_required"] is True

    def test_a_refused_name_or_password_does_not_use_the_code_up(
        self, browser: TestClient, code: str
    ) -> None:
        weak = {"code": code, "username": "ada", "password": "short"}
        assert code_of(browser.post("/auth/setup", json=weak)) == (422, "weak_password")
        named = {"code": code, "username": "two words", "password": PASSWORD}
        assert code_of(browser.post("/auth/setup", json=named)) == (422, "invalid_parameter")
        assert browser.post("/auth/setup", json={"code": code, **self.BODY}).status_code == 201

    def test_not_for_foreign_pages(self, browser: TestClient, code: str) -> None:
        for origin in FOREIGN_ORIGINS:
            answer = browser.post("/auth/setup", json={"code": code, **self.BODY}, headers={"Origin": origin})
            assert code_of(answer) == (403, "origin_not_allowed"), origin

    def test_there_is_no_account_to_begin_with(self, browser: TestClient, clock: FakeClock) -> None:
        names = ("admin", "root", "orthanc", "user", "test")
        pairs = [(name, word) for name in names for word in ("admin", "orthanc", "")]
        for name, word in pairs:
            assert log_in(browser, name, word or name).status_code == 401
            clock.forward(seconds=900)


class TestAudit:
    def test_log_in_and_out(self, browser: TestClient, database: Database, add_user: AddUser) -> None:
        add_user("ada")
        log_in(browser, "ADA ", "wrong")
        log_in(browser, "my password in the wrong field", "wrong")
        log_in(browser)
        browser.post("/auth/logout")
        browser.post("/auth/logout")
        assert events(database) == [
            ("login", "failure", "wrong_password", "ada", None),
            ("login", "failure", "unknown_user", "(unknown)", None),
            ("login", "success", None, "ada", None),
            ("logout", "success", None, "ada", None),
        ]

    def test_says_from_where_and_over_which_request(
        self, browser: TestClient, database: Database, add_user: AddUser
    ) -> None:
        user = add_user("ada")
        answer = log_in(browser)
        with database.reading() as session:
            event, row = session.query(AuditEvent).one(), session.query(UserSession).one()
        assert (event.user_id, event.session_id) == (user.id, row.id)
        assert (event.client_address, event.request_id) == ("192.0.2.7", answer.headers["x-request-id"])

    def test_password_set_up_and_throttling(
        self, browser: TestClient, database: Database, clock: FakeClock
    ) -> None:
        with database.writing() as session:
            code = setup.make_setup_code(session, clock())
        browser.post("/auth/setup", json={"code": "wrong", "username": "ada", "password": PASSWORD})
        browser.post("/auth/setup", json={"code": code, "username": "ada", "password": PASSWORD})
        log_in(browser)
        for current in ("wrong", PASSWORD):
            new = "yet another good password"
            browser.post("/auth/password", json={"current_password": current, "new_password": new})
        for _ in range(7):
            log_in(browser, "ada", "wrong")
        found = events(database)
        assert found[:5] == [
            ("setup", "failure", "wrong_code", "(unknown)", None),
            ("setup", "success", None, "(unknown)", "ada"),
            ("login", "success", None, "ada", None),
            ("password_changed", "failure", "wrong_password", "ada", None),
            ("password_changed", "success", None, "ada", None),
        ]
        assert found[-1] == ("login", "failure", "throttled", "ada", None)

    def test_never_a_password(self, browser: TestClient, database: Database, add_user: AddUser) -> None:
        add_user("ada")
        canaries = ["canary-one-canary", "canary-two-canary"]
        log_in(browser, canaries[0], canaries[1])
        log_in(browser)
        with database.reading() as session:
            for table in (AuditEvent, User, UserSession):
                for row in session.query(table):
                    values = str([getattr(row, column.key) for column in table.__mapper__.column_attrs])
                    assert not any(secret in values for secret in [*canaries, PASSWORD])

    def test_no_log_in_without_its_record(
        self, browser: TestClient, database: Database, add_user: AddUser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_arguments: Any, **_named: Any) -> None:
            raise RuntimeError

        add_user("ada")
        monkeypatch.setattr("imageserver.api.auth.record_event", broken)
        answer = log_in(browser)
        assert answer.status_code == 500
        assert "set-cookie" not in answer.headers
        with database.reading() as session:
            assert session.query(UserSession).count() == 0


class TestLogs:
    def test_no_secret_is_logged(
        self, browser: TestClient, add_user: AddUser, caplog: pytest.LogCaptureFixture
    ) -> None:
        add_user("ada")
        caplog.set_level("DEBUG")
        answer = log_in(browser)
        cookie = SimpleCookie(answer.headers["set-cookie"])["imageserver_session"].value
        log_in(browser, "ada", "canary-password-canary")
        browser.post(
            "/auth/password", json={"current_password": "canary-password-canary", "new_password": "x" * 20}
        )
        browser.post("/auth/refresh")
        browser.post(
            "/auth/setup", json={"code": "canary-code-canary", "username": "a", "password": PASSWORD}
        )
        browser.post("/auth/logout")
        ours = [
            record
            for record in caplog.records
            if not record.name.startswith(("httpx", "httpcore", "asyncio"))
        ]
        text = json.dumps([record.__dict__ for record in ours], default=str)
        for secret in (PASSWORD, cookie, answer.json()["access_token"], "canary"):
            assert secret not in text
