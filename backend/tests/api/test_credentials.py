"""Kinds of credentials × routes: each opens what it is for, and nothing else (ASVS 9.2.2, 9.2.3)."""

from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from imageserver.accounts.models import TokenRights, User
from imageserver.api.session_cookie import NAME
from tests.api.programs import basic, bearer, make_token, program
from tests.api.test_permissions import protected_routes
from tests.conftest import PASSWORD, AddUser

SAFE = {"GET", "OPTIONS"}
OF_PERSONS = {"/auth/password", "/auth/tokens"}


@pytest.fixture
def user(client: TestClient, add_user: AddUser) -> User:
    return add_user("ada")


@pytest.fixture
def browser(app: FastAPI, user: User) -> TestClient:
    """A client that has just logged in, with its cookie."""
    browser = program(app)
    answer = browser.post("/auth/token", data={"username": "ada", "password": PASSWORD})
    browser.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return browser


def is_of_persons(path: str) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in OF_PERSONS)


def for_each_route(
    app: FastAPI, ask: Callable[[str, str], int], expect: Callable[[str, str, int], bool]
) -> None:
    wrong = [
        (method, path, status)
        for method, path in protected_routes(app)
        if not expect(method, path, status := ask(method, path))
    ]
    assert wrong == []


def test_an_access_token_opens_every_route(app: FastAPI, browser: TestClient) -> None:
    browser.cookies.clear()
    for_each_route(
        app,
        lambda method, path: browser.request(method, path).status_code,
        lambda method, path, status: status not in {401, 403},
    )


def test_the_cookie_alone_opens_none(app: FastAPI, browser: TestClient) -> None:
    del browser.headers["Authorization"]
    assert NAME in browser.cookies
    cookie = {"Cookie": f"{NAME}={browser.cookies[NAME]}", "Origin": "http://localhost:3000"}
    for_each_route(
        app,
        lambda method, path: program(app).request(method, path, headers=cookie).status_code,
        lambda method, path, status: status == 401,
    )


def test_the_cookie_is_no_token(app: FastAPI, browser: TestClient) -> None:
    for_each_route(
        app,
        lambda method, path: program(app, **bearer(browser.cookies[NAME])).request(method, path).status_code,
        lambda method, path, status: status == 401,
    )


@pytest.mark.parametrize("rights", TokenRights)
def test_a_program_opens_all_but_the_account(app: FastAPI, user: User, rights: TokenRights) -> None:
    script = program(app, **bearer(make_token(app, user, rights).secret))

    def expect(method: str, path: str, status: int) -> bool:
        is_refused = is_of_persons(path) or (rights is TokenRights.READ and method not in SAFE)
        return status == 403 if is_refused else status not in {401, 403}

    for_each_route(app, lambda method, path: script.request(method, path).status_code, expect)


def test_basic_opens_dicomweb_alone(app: FastAPI, user: User) -> None:
    script = program(app, **basic("ada", make_token(app, user).secret))
    for_each_route(
        app,
        lambda method, path: script.request(method, path).status_code,
        lambda method, path, status: (status == 401) is not path.startswith("/dicomweb"),
    )


def test_a_program_token_is_no_cookie(app: FastAPI, user: User) -> None:
    made = make_token(app, user)
    headers = {"Cookie": f"{NAME}={made.secret}", "Origin": "http://localhost:3000"}
    assert program(app).post("/auth/refresh", headers=headers).status_code == 401


def test_several_credentials_are_none(app: FastAPI, user: User) -> None:
    made = make_token(app, user)
    headers = [("Authorization", f"Bearer {made.secret}"), ("Authorization", f"Bearer {made.secret}")]
    assert program(app).get("/volumes", headers=headers).status_code == 401
