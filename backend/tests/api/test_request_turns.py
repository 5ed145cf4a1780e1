"""Requests of one token wait for each other, and for nobody else's."""

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from imageserver.api.request_turns import RequestTurns

pytestmark = pytest.mark.anyio


class Held:
    """An application whose answers begin, and end, when the test says so."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.may_start = anyio.Event()
        self.may_end = anyio.Event()
        self.may_end.set()

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        self.begun.append(scope["path"])
        if scope["path"] == "/broken":
            raise OSError("broken")
        if scope["path"] != "/quick":
            await self.may_start.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.may_end.wait()
        await send({"type": "http.response.body", "body": b""})


Ask = Callable[..., Awaitable[int]]


def asking(turns: RequestTurns) -> Ask:
    async def ask(path: str, authorization: str = "Bearer a", method: str = "GET") -> int:
        found: list[int] = []

        async def send(message: Any) -> None:
            found.append(message.get("status", 0))

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        headers = [(b"authorization", authorization.encode())] if authorization else []
        scope = {"type": "http", "method": method, "path": path, "headers": headers, "client": ("::1", 1)}
        await turns(scope, receive, send)
        return found[0]

    return ask


async def settle() -> None:
    await anyio.wait_all_tasks_blocked()


async def test_one_token_waits_for_itself_in_order() -> None:
    app = Held()
    ask = asking(RequestTurns(app, turn_seconds=60, at_once=2))
    async with anyio.create_task_group() as group:
        for path in ("/1", "/2", "/3", "/4"):
            group.start_soon(ask, path)
            await settle()
        assert app.begun == ["/1", "/2"]
        app.may_start.set()
    assert app.begun == ["/1", "/2", "/3", "/4"]


async def test_others_do_not_wait() -> None:
    app = Held()
    ask = asking(RequestTurns(app, turn_seconds=60, at_once=1))
    async with anyio.create_task_group() as group:
        group.start_soon(ask, "/1")
        await settle()
        for other in ("Bearer b", "Basic YTpi", ""):
            assert await ask("/quick", other) == 200
        app.may_start.set()


@pytest.mark.parametrize("spelling", ["bearer a", "BEARER   a", "Bearer a "])
async def test_one_token_in_many_spellings(spelling: str) -> None:
    app = Held()
    ask = asking(RequestTurns(app, turn_seconds=60, at_once=1))
    async with anyio.create_task_group() as group:
        group.start_soon(ask, "/1")
        await settle()
        group.start_soon(ask, "/2", spelling)
        await settle()
        assert app.begun == ["/1"]
        app.may_start.set()


@pytest.mark.parametrize(("authorization", "method"), [("", "GET"), ("Bearer a", "POST")])
async def test_what_never_waits(authorization: str, method: str) -> None:
    app = Held()
    turns = RequestTurns(app, turn_seconds=60, at_once=0)
    assert await asking(turns)("/quick", authorization, method) == 200


async def test_a_turn_ends_where_the_answer_begins() -> None:
    """Who takes the bytes slowly keeps none of his own requests from being answered."""
    app = Held()
    app.may_start.set()
    app.may_end = anyio.Event()
    ask = asking(RequestTurns(app, turn_seconds=60, at_once=1))
    async with anyio.create_task_group() as group:
        group.start_soon(ask, "/1")
        group.start_soon(ask, "/2")
        await settle()
        assert app.begun == ["/1", "/2"]
        app.may_end.set()


async def test_a_turn_does_not_last_long() -> None:
    app = Held()
    ask = asking(RequestTurns(app, at_once=1, turn_seconds=0.05))
    async with anyio.create_task_group() as group:
        group.start_soon(ask, "/1")
        await settle()
        assert await ask("/quick") == 200
        assert app.begun == ["/1", "/quick"]
        app.may_start.set()


async def test_a_turn_ends_with_an_error() -> None:
    app = Held()
    turns = RequestTurns(app, turn_seconds=60, at_once=1)
    for _ in range(2):
        with pytest.raises(OSError, match="broken"):
            await asking(turns)("/broken")
    assert not turns._tokens  # nothing is remembered of who asks for nothing


async def test_a_client_that_gives_up_waiting() -> None:
    app = Held()
    turns = RequestTurns(app, turn_seconds=60, at_once=1)
    ask = asking(turns)
    async with anyio.create_task_group() as group:
        group.start_soon(ask, "/1")
        await settle()
        with anyio.move_on_after(0):
            await ask("/2")
        app.may_start.set()
    assert app.begun == ["/1"]
    assert not turns._tokens


@pytest.mark.parametrize("steps", range(5))
async def test_a_turn_that_comes_as_the_client_gives_up(steps: int) -> None:
    app = Held()
    turns = RequestTurns(app, turn_seconds=60, at_once=1)
    ask = asking(turns)
    async with anyio.create_task_group() as group:
        group.start_soon(ask, "/1")
        await settle()
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as waiting:
                waiting.start_soon(ask, "/2")
                await settle()
                app.may_start.set()
                for _ in range(steps):
                    await anyio.lowlevel.checkpoint()
                scope.cancel()
        assert await ask("/quick") == 200
    assert not turns._tokens


async def test_too_many_wait() -> None:
    app = Held()
    ask = asking(RequestTurns(app, turn_seconds=60, at_once=1, most_waiting=1))
    async with anyio.create_task_group() as group:
        group.start_soon(ask, "/1")
        group.start_soon(ask, "/2")
        await settle()
        assert await ask("/3") == 429
        assert await ask("/quick", "Bearer b") == 200
        app.may_start.set()


def test_the_server_has_turns(app: FastAPI, client: TestClient) -> None:
    assert [one for one in app.user_middleware if one.cls is RequestTurns]
    assert client.get("/auth/me").status_code == 401
