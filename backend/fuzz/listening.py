"""The application behind a socket, and requests as bytes: lengths that lie, chunks, connections that end anywhere."""

import contextlib
import http.client
import io
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import uvicorn

from fuzz.campaign import Fault

ANSWER_SECONDS = 120.0

logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it tells of each request that is no HTTP


class Answer(NamedTuple):
    """One answer; names of headers in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def media_type(self) -> str:
        """Without parameters."""
        return dict(self.headers).get("content-type", "").partition(";")[0].strip()


@contextmanager
def listening(app: Any) -> Iterator[int]:
    """Serve an application that was started already, on a port of this machine that is free; yields it."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_config=None, lifespan="off", server_header=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def exchange(port: int, request: bytes, *, is_cut: bool = False) -> Answer | None:
    """Send the bytes of a request and return the answer; None where none came.

    Parameters
    ----------
    port : int
        Where the application listens.
    request : bytes
        With `Connection: close`.
    is_cut : bool
        End the connection on this side behind the last byte: the server may wait for more.

    Raises
    ------
    Fault
        If the answer is no HTTP, or does not come in time.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS) as connection:
        with contextlib.suppress(ConnectionError):  # who refuses a request need not read it
            connection.sendall(request)
            if is_cut:
                connection.shutdown(socket.SHUT_WR)
        received = _receive(connection)
    if not received:
        return None
    answer = http.client.HTTPResponse(cast(socket.socket, _Received(received)))
    try:
        answer.begin()
        headers = [(name.lower(), value) for name, value in answer.getheaders()]
        return Answer(answer.status, headers, answer.read())
    except (http.client.HTTPException, ValueError) as error:
        raise Fault(f"an answer that is no HTTP: {type(error).__name__}") from error


def _receive(connection: socket.socket) -> bytes:
    received = bytearray()
    try:
        while piece := connection.recv(1 << 16):
            received += piece
    except TimeoutError:
        raise Fault("no answer in time") from None
    except ConnectionError:
        pass
    return bytes(received)


class _Received:
    """What the library expects of a socket."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, *_arguments: Any) -> io.BytesIO:
        return io.BytesIO(self._received)
