"""Routes that are answered in one thread do what FastAPI would have done, with one way there and back."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Annotated, Any

import anyio.to_thread
import pytest
from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from imageserver.api.one_thread import OneThread
from imageserver.errors import NotAuthenticated

CLASSES = [APIRoute, OneThread]
happened: list[str] = []


async def count(request: Request) -> int:
    happened.append("counted")
    return len(request.headers.getlist("x"))


def who(count: Annotated[int, Depends(count)], name: Annotated[str, Query(max_length=3)] = "") -> str:
    happened.append("asked")
    return f"{name}{count}"


async def place(_who: Annotated[str, Depends(who)]) -> AsyncIterator[str]:
    happened.append("entered")
    try:
        yield "place"
    finally:
        happened.append("left")


def answer(
    who: Annotated[str, Depends(who)],
    count: Annotated[int, Depends(count)],
    place: Annotated[str, Depends(place)],
    number: int,
    word: Annotated[str | None, Query(min_length=2)] = None,
) -> Response:
    happened.append("answered")
    if word == "wrong":
        raise ValueError(word)
    return Response(f"{who} {count} {place} {number} {word}")


def client_of(route_class: type[APIRoute]) -> TestClient:
    app = FastAPI()
    app.router.route_class = route_class
    app.get("/{number}")(answer)
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    "address",
    ["/1", "/1?name=abc&word=xy", "/x", "/1?word=x", "/1?name=abcd", "/x?name=abcd&word=x", "/1?word=wrong"],
)
def test_the_same_in_the_same_order(address: str) -> None:
    seen = []
    for route_class in CLASSES:
        happened.clear()
        got = client_of(route_class).get(address, headers={"x": "1"})
        seen.append((got.status_code, got.text, list(happened)))
    assert seen[0] == seen[1]


def test_one_way_to_a_thread_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    client, ways = client_of(OneThread), []
    run_sync = anyio.to_thread.run_sync

    async def note(*arguments: Any, **options: Any) -> Any:
        ways.append(1)
        return await run_sync(*arguments, **options)

    monkeypatch.setattr(anyio.to_thread, "run_sync", note)
    assert client.get("/1").status_code == 200
    assert len(ways) == 1


def test_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    app = FastAPI()
    app.router.route_class = OneThread
    app.get("/")(lambda: Response(str(threading.current_thread() is threading.main_thread())))
    assert TestClient(app).get("/").text == "False"


def refuses() -> None:
    raise NotAuthenticated("nobody")


def test_a_dependency_that_refuses_is_asked_before_parameters_are_looked_at() -> None:
    app = FastAPI()
    app.router.route_class = OneThread
    app.get("/{number}", dependencies=[Depends(refuses)])(answer)
    with pytest.raises(NotAuthenticated):
        TestClient(app).get("/x?word=x")


async def waits() -> None:
    await asyncio.sleep(0)


def test_a_dependency_that_waits_is_a_mistake() -> None:
    app = FastAPI()
    app.router.route_class = OneThread
    app.get("/", dependencies=[Depends(waits)])(lambda: Response())
    with pytest.raises(RuntimeError, match="must not wait"):
        TestClient(app).get("/")


def generates() -> Any:
    yield


def with_response(response: Response) -> Response:
    return response


async def asynchronous() -> Response:
    return Response()


def with_body(body: dict[str, str]) -> Response:
    return Response(str(body))


@pytest.mark.parametrize("endpoint", [with_response, asynchronous, with_body])
def test_what_cannot_be_given_is_refused_at_the_start(endpoint: Any) -> None:
    app = FastAPI()
    app.router.route_class = OneThread
    with pytest.raises(TypeError, match="cannot be answered in one thread"):
        app.post("/")(endpoint)


def test_plain_generators_are_refused_at_the_start() -> None:
    app = FastAPI()
    app.router.route_class = OneThread
    with pytest.raises(TypeError, match="cannot be answered in one thread"):
        app.get("/", dependencies=[Depends(generates)])(lambda: Response())
