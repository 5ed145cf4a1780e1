"""Connections of clients that do not go on: uvicorn waits for them without an end.

A connection on which the head of a request does not come is answered 408 and closed; one whose client takes nothing
of its answer is cut, so that files, memory and places of the answer are free again. Bodies that come too slowly are
found by who reads them (``api/request_body.py``).

There are no more connections than the process has room for: each new one beyond takes the place of one that waits for
a request, of the address that has most of them. Where all are busy it is answered 503.
"""

import asyncio
import resource
from collections import Counter
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
STALL_SECONDS = 60.0  # in which a client has to take at least a byte
MOST_CONNECTIONS = 1024  # of one process
_END = b"Connection: close\r\nContent-Length: 0\r\n\r\n"
_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\n" + _END
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n" + _END


def room_for_connections() -> int:
    """Return how many connections a process may have: half of the files that it may open at most."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if files == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, files // 2)


class Connection(HttpToolsProtocol):
    """The protocol of uvicorn, with an end to waiting."""

    head_seconds = HEAD_SECONDS
    stall_seconds = STALL_SECONDS
    most_connections = room_for_connections()
    _head: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None
    _unsent = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait_for_head()
        if len(self.connections) > self.most_connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        _cancel(self._head)
        _cancel(self._stall)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Wait for the rest of the head of a request."""
        super().on_message_begin()
        self._wait_for_head()

    def on_headers_complete(self) -> None:
        """Leave the body to who reads it."""
        _cancel(self._head)
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """Begin to watch whether the client takes what waits for it."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Stop watching: little waits for the client."""
        _cancel(self._stall)
        super().resume_writing()

    def _wait_for_head(self) -> None:
        _cancel(self._head)
        self._head = self.loop.call_later(self.head_seconds, self._give_up)

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _make_room(self) -> None:
        """Give up a connection that waits for a request; the one of whoever has most, so that others keep theirs."""
        connections = cast("set[Connection]", self.connections)
        of_address = Counter(one._address for one in connections)
        if idle := [one for one in connections if one is not self and one._is_idle]:
            max(idle, key=lambda one: of_address[one._address])._give_up()
        else:
            self.transport.write(_FULL)
            self.transport.close()

    @property
    def _is_idle(self) -> bool:
        return not self._is_answering and not self.transport.is_closing()

    @property
    def _address(self) -> str | None:
        return self.client[0] if self.client else None

    def _give_up(self) -> None:
        if self._is_answering:
            self._wait_for_head()  # one request came in front of the other, which waits for its answer
            return
        self.transport.write(_TIMEOUT)
        self.transport.close()

    def _watch(self) -> None:
        _cancel(self._stall)
        self._unsent = self.transport.get_write_buffer_size()
        self._stall = self.loop.call_later(self.stall_seconds, self._cut_if_stalled)

    def _cut_if_stalled(self) -> None:
        if self.transport.get_write_buffer_size() < self._unsent:
            self._watch()
        else:
            self.transport.abort()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
