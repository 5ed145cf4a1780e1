"""Connections of clients that do not go on: over real sockets, with deadlines that end at once."""

import asyncio
import resource
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from imageserver.connections import Connection, room_for_connections
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


class Waiting:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.may_answer = threading.Event()

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        self.asked.release()
        await asyncio.to_thread(self.may_answer.wait)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@contextmanager
def serving(application: Any, protocol: type[Connection]) -> Iterator[Callable[..., socket.socket]]:
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

    def connect(source: str = "127.0.0.1") -> socket.socket:
        client = socket.create_connection(listener.getsockname()[:2], source_address=(source, 0))
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


class TestRoom:
    """Two connections at most."""

    @staticmethod
    def protocol() -> type[Connection]:
        return type("Small", (Connection,), {"most_connections": 2})

    def test_who_waits_for_nothing_gives_room(self) -> None:
        with serving(Answering(0), self.protocol()) as connect, connect() as first, connect() as second:
            for idle in (first, second):
                idle.sendall(REQUEST)
                idle.recv(1000)
            with connect() as third:
                third.sendall(LAST_REQUEST)
                assert read_to_end(third).startswith(b"HTTP/1.1 200 ")
            (given_up,), _, _ = select.select([first, second], [], [], SECONDS)
            assert read_to_end(given_up).startswith(b"HTTP/1.1 408 ")

    def test_who_has_most_gives_room(self) -> None:
        with serving(Answering(0), self.protocol()) as connect, connect("127.0.0.2") as lone:
            lone.sendall(REQUEST)
            lone.recv(1000)
            with connect() as greedy, connect():
                assert b"408" in read_to_end(greedy)
                lone.sendall(LAST_REQUEST)
                assert b"HTTP/1.1 200 " in read_to_end(lone)

    def test_no_answer_is_cut_for_a_new_connection(self) -> None:
        application = Waiting()
        with serving(application, self.protocol()) as connect, connect() as first, connect() as second:
            for busy in (first, second):
                busy.sendall(LAST_REQUEST)
                assert application.asked.acquire(timeout=SECONDS)
            with connect() as third:
                assert read_to_end(third).startswith(b"HTTP/1.1 503 ")
            application.may_answer.set()
            for busy in (first, second):
                assert read_to_end(busy).startswith(b"HTTP/1.1 200 ")

    def test_half_of_the_files_may_be_connections(self, monkeypatch: pytest.MonkeyPatch) -> None:
        limits = {256: 128, 1024: 512, 1 << 20: 1024, resource.RLIM_INFINITY: 1024}
        for files, expected in limits.items():
            monkeypatch.setattr(resource, "getrlimit", lambda _, files=files: (files, files))
            assert room_for_connections() == expected


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
