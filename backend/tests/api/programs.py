"""Tokens for programs, as tests need them."""

from base64 import b64encode
from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from imageserver.accounts import program_tokens
from imageserver.accounts.models import TokenRights, User
from imageserver.accounts.program_tokens import NewToken
from imageserver.database import Database


def make_token(
    app: FastAPI,
    user: User,
    rights: TokenRights = TokenRights.READ_WRITE,
    days: int = 30,
    name: str = "script",
) -> NewToken:
    """Make a token by the application's clock."""
    database: Database = app.state.database
    now = app.state.clock()
    with database.writing() as session:
        return program_tokens.make_token(session, user.id, name, rights, now + timedelta(days=days), now)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{username}:{password}".encode()).decode()}


def program(app: FastAPI, **headers: Any) -> TestClient:
    """A client without cookies."""
    client = TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False)
    client.headers.update(headers)
    return client
