"""Connections of clients that do not go on: over real sockets, with deadlines that end at once."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from imageserver.connections import Connection
from imageserver.server import make_config
from imageserver.settings import Settings

SECONDS = 60.0
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LAST_REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def impatient(*, head: float = SECONDS, stall: float = SECONDS) -> type[Connection]:
    """Return a protocol that waits so many seconds, which may be changed while it is used."""
    return type("Impatient", (Connection,), {"head_seconds": head, "stall_seconds": stall})


class Answering:
    """Sends an answer that is larger than all buffers, and notes how it ended."""

    def __init__(self, pieces: int) -> None:
        self.pieces = pieces
        self.ended = threading.Event()
        self.sent = 0

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        disconnected = asyncio.ensure_future(receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(self.pieces):
            await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
            self.sent += 1
        await send({"type": "http.response.body", "body": b""})
        disconnected.cancel()
        self.ended.set()


@contextmanager
def serving(application: Any, protocol: type[Connection]) -> Iterator[Callable[[], socket.socket]]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application,
        http=protocol,
        log_config=None,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=int(SECONDS),
        lifespan="off",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.01)

    def connect() -> socket.socket:
        client = socket.create_connection(listener.getsockname()[:2])
        client.settimeout(SECONDS)
        return client

    try:
        yield connect
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def read_to_end(client: socket.socket) -> bytes:
    found = b""
    while piece := client.recv(1 << 20):
        found += piece
    return found


def test_a_head_that_does_not_come() -> None:
    with serving(Answering(0), impatient(head=0.05)) as connect, connect() as client:
        assert read_to_end(client).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("start", [b"G", REQUEST[:-2]], ids=["a letter", "no end"])
def test_a_head_that_does_not_go_on(start: bytes) -> None:
    protocol = impatient()
    with serving(Answering(0), protocol) as connect, connect() as client:
        client.sendall(REQUEST)
        answer = b""
        while not answer.endswith(b"0\r\n\r\n"):  # the last chunk: from here on nothing is under way
            answer += client.recv(1000)
        assert answer.startswith(b"HTTP/1.1 200 ")
        protocol.head_seconds = 0.05
        client.sendall(start)
        assert read_to_end(client).startswith(b"HTTP/1.1 408 ")


def test_a_client_that_takes_nothing_is_cut() -> None:
    application = Answering(64)
    with serving(application, impatient(stall=0.05)) as connect, connect() as client:
        client.sendall(REQUEST)
        assert application.ended.wait(SECONDS)  # sending to a connection that is cut ends at once
        assert len(read_to_end(client)) < 64 << 20  # what was in the buffers, and no end of the last chunk


def test_a_client_that_takes_its_time_gets_everything() -> None:
    with serving(Answering(8), impatient()) as connect, connect() as client:
        client.sendall(LAST_REQUEST)
        time.sleep(0.3)
        assert len(read_to_end(client)) > 8 << 20


class Buffer:
    """A transport that only counts."""

    def __init__(self) -> None:
        self.size = 100
        self.is_cut = False

    def get_write_buffer_size(self) -> int:
        return self.size

    def abort(self) -> None:
        self.is_cut = True


def test_a_byte_now_and_then_keeps_a_connection() -> None:
    async def run() -> None:
        connection = Connection.__new__(Connection)
        connection.loop = asyncio.get_running_loop()
        transport = Buffer()
        connection.transport = transport  # type: ignore[assignment]
        connection._watch()
        for _ in range(10):
            transport.size -= 1
            connection._cut_if_stalled()
            assert not transport.is_cut
        connection._cut_if_stalled()
        assert transport.is_cut
        assert connection._stall is not None
        connection._stall.cancel()

    asyncio.run(run())


def test_the_server_uses_it(settings: Settings) -> None:
    assert make_config(settings).http is Connection
