"""Who is believed about the client and the scheme: the proxies of the settings, and nobody else."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from imageserver.server import make_config
from imageserver.settings import Settings
from tests.conftest import PASSWORD, AddUser

PROXY, STRANGER, CLIENT = "192.0.2.1", "192.0.2.66", "203.0.113.9"
FORWARDED = {"X-Forwarded-For": CLIENT, "X-Forwarded-Proto": "https"}
LogIn = Callable[..., dict[str, str]]


@pytest.fixture
def log_in(
    app: FastAPI, client: TestClient, settings: Settings, add_user: AddUser, monkeypatch: pytest.MonkeyPatch
) -> LogIn:
    """Log in through the server's own wrapping of the application; returns the headers of the answer."""
    add_user("ada")
    monkeypatch.setattr("imageserver.cli.application", lambda: app)

    def run(peer: str, headers: dict[str, str], trusted: str = f"{PROXY}, 198.51.100.0/24") -> dict[str, str]:
        config = make_config(settings.model_copy(update={"trusted_proxies": trusted}))
        config.load()
        visitor = TestClient(config.loaded_app, base_url="http://localhost:8000", client=(peer, 4711))
        form = {"username": "ada", "password": PASSWORD}
        answer = visitor.post("/auth/token", data=form, headers=headers)
        assert answer.status_code == 200
        return dict(answer.headers)

    return run


@pytest.fixture
def seen_client(database: Database) -> Callable[[], str | None]:
    """Function that tells from where the last log-in came, by the audit."""

    def read() -> str | None:
        with database.reading() as session:
            return session.scalar(select(AuditEvent.client_address).order_by(AuditEvent.id.desc()).limit(1))

    return read


def is_secure(headers: dict[str, str]) -> bool:
    has_hsts = "strict-transport-security" in headers
    assert ("secure" in headers["set-cookie"].lower()) == has_hsts
    return has_hsts


@pytest.mark.parametrize("proxy", [PROXY, "198.51.100.7"])
def test_a_trusted_proxy_is_believed(log_in: LogIn, seen_client: Callable[[], str], proxy: str) -> None:
    assert is_secure(log_in(proxy, FORWARDED))
    assert seen_client() == CLIENT


@pytest.mark.parametrize("trusted", [PROXY, ""])
@pytest.mark.parametrize("peer", [STRANGER, "127.0.0.1"])
def test_nobody_else_is(log_in: LogIn, seen_client: Callable[[], str], peer: str, trusted: str) -> None:
    assert not is_secure(log_in(peer, FORWARDED, trusted))
    assert seen_client() == peer


def test_a_client_cannot_put_addresses_in_front(log_in: LogIn, seen_client: Callable[[], str]) -> None:
    # A proxy appends the address that it sees; what stands before came from the client.
    log_in(PROXY, {"X-Forwarded-For": f"127.0.0.1, 6.6.6.6, {CLIENT}, 198.51.100.3"})
    assert seen_client() == CLIENT


def test_a_proxy_that_says_nothing(log_in: LogIn, seen_client: Callable[[], str]) -> None:
    assert not is_secure(log_in(PROXY, {}))
    assert seen_client() == PROXY


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Proto": "javascript"},
        {"X-Forwarded-Proto": "https, http"},
        {"X-Forwarded-Proto": ""},
        {"X-Forwarded-For": ""},
        {"X-Forwarded-For": ", ,"},
        {"X-Forwarded-For": "x" * 5000},
        {"X-Forwarded-For": "[::1"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Port": "1", "X-Forwarded-Prefix": "/evil"},
        {"Forwarded": "for=6.6.6.6;proto=https;host=evil.example"},
    ],
)
@pytest.mark.parametrize("peer", [PROXY, STRANGER])
def test_nonsense_does_no_harm(
    log_in: LogIn, seen_client: Callable[[], str | None], peer: str, headers: dict[str, str]
) -> None:
    answer = log_in(peer, headers)
    assert not is_secure(answer)
    assert "evil" not in str(answer)
    assert len(seen_client() or "") <= 64
