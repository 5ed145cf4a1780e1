"""Storing over real connections: clients that vanish, wait to be asked, or have no right to send anything."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from imageserver.api.request_body import Pace
from imageserver.settings import Settings
from tests.builders import image, to_bytes
from tests.storing import BOUNDARY, files_in, related

CUTS = 50
SECONDS = 60  # only to end at all: on a busy machine fifty connections take their time


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a store."""
    return settings.model_copy(update={"store_dir": settings.state_dir / "store"})


@pytest.fixture
def port(app: FastAPI, signed_in: TestClient) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield int(listener.getsockname()[1])
    server.should_exit = True
    thread.join()
    listener.close()


def head(length: int | None, authorization: str = "", **headers: str) -> bytes:
    lines = [
        "POST /dicomweb/studies HTTP/1.1",
        "Host: localhost",
        f'Content-Type: multipart/related; type="application/dicom"; boundary={BOUNDARY}',
        *([f"Content-Length: {length}"] if length is not None else []),
        *([f"Authorization: {authorization}"] if authorization else []),
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def wait_until_nothing_is_left(settings: Settings) -> None:
    until = time.monotonic() + SECONDS
    while files_in(settings, ".incoming") and time.monotonic() < until:
        time.sleep(0.02)
    assert files_in(settings, ".incoming") == files_in(settings) == []


def test_a_client_that_vanishes_leaves_nothing(port: int, signed_in: TestClient, settings: Settings) -> None:
    body = related([to_bytes(image(instance=number)) for number in range(1, 6)])
    authorization = signed_in.headers["Authorization"]
    for number in range(CUTS):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(head(len(body), authorization) + body[: len(body) * number // CUTS])
    wait_until_nothing_is_left(settings)
    assert signed_in.get("/volumes").json()["total"] == 0
    with socket.create_connection(("127.0.0.1", port)) as client:  # no slot was kept
        client.sendall(head(len(body), authorization, Connection="close") + body)
        assert client.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_stranger_is_told_before_the_body_is_read(port: int, settings: Settings) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(head(10 << 30))
        answer = client.recv(10_000)
    assert answer.startswith(b"HTTP/1.1 401")
    assert b"connection: close" in answer.lower()
    wait_until_nothing_is_left(settings)


def test_a_client_that_asks_first(port: int, signed_in: TestClient) -> None:
    body = related([to_bytes(image())])
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(head(len(body), signed_in.headers["Authorization"], Expect="100-continue"))
        assert client.recv(1000).startswith(b"HTTP/1.1 100")
        client.sendall(body)
        assert client.recv(1000).startswith(b"HTTP/1.1 200")


def test_chunks(port: int, signed_in: TestClient) -> None:
    body = related([to_bytes(image())])
    request = head(None, signed_in.headers["Authorization"], **{"Transfer-Encoding": "chunked"})
    for start in range(0, len(body), 100):
        piece = body[start : start + 100]
        request += f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(request + b"0\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")


def test_a_body_that_stops_coming(
    port: int, signed_in: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pace, "patience", 0.1)
    body = related([to_bytes(image())])
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(SECONDS * 4)
        client.sendall(head(len(body), signed_in.headers["Authorization"]) + body[:-100])
        answer = b""
        while piece := client.recv(10_000):  # until the server closes the connection
            answer += piece
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"request_timeout"' in answer
    wait_until_nothing_is_left(settings)
    assert not signed_in.app.state.store_turns._users  # type: ignore[attr-defined]


@pytest.mark.parametrize("length", [-1, 10 << 40])
def test_lengths_that_cannot_be(port: int, signed_in: TestClient, length: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(head(length, signed_in.headers["Authorization"]))
        assert client.recv(1000).split()[1] in (b"400", b"413")
