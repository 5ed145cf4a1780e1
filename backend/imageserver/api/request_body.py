"""The body of a request as an iterator for a thread: bounded in memory, in time, and never read before it is wanted."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future

from fastapi import Request

from imageserver.errors import TooSlow

PIECE_BYTES = 1 << 20  # a thread and the event loop meet once for so much
LEAST_BYTES_PER_SECOND = 8 * 1024
WINDOW_SECONDS = 15.0  # over which that is averaged; the first one is not counted


class Pace:
    """Tells how long a body may still keep the server waiting.

    Only waiting counts, and not the time in which the server writes down what came.

    Parameters
    ----------
    least_bytes : int
        What has to come in each window.
    window_seconds : float
        How long one is.
    """

    def __init__(
        self,
        least_bytes: int = int(LEAST_BYTES_PER_SECOND * WINDOW_SECONDS),
        window_seconds: float = WINDOW_SECONDS,
    ) -> None:
        self._least = least_bytes
        self._window = self._left = window_seconds
        self._missing = 0  # the time to begin

    @property
    def patience(self) -> float:
        """Seconds for which nothing need come: to the end of this window, or of the next if this one has its bytes."""
        return self._left + (0.0 if self._missing > 0 else self._window)

    def note(self, waited: float, size: int) -> None:
        """Note that so many bytes came after so many seconds."""
        self._left -= waited
        while self._left <= 0 and self._missing <= 0:
            self._left += self._window
            self._missing = self._least
        self._missing -= size


class RequestBody(Iterator[bytes]):
    """Pieces of a body as they come; made on the event loop, iterated over in a thread.

    While the thread deals with one piece, the next one is received already, and no more than that.

    Parameters
    ----------
    request : Request
        Its body must not have been read.
    pace : Pace
        How slowly it may come.
    clock : callable
        Seconds that only grow.

    Raises
    ------
    TooSlow
        From `next`, if the client is slower than any real one.
    ClientDisconnect
        From `next`, if it has gone, or has sent more than it may.
    """

    def __init__(
        self, request: Request, pace: Pace | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream: AsyncIterator[bytes] = request.stream()
        self._pace = pace or Pace()
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._coming: Future[bytes] | None = None
        self._reading: asyncio.Task[bytes] | None = None
        self._is_ended = self._is_closed = False

    def __next__(self) -> bytes:
        """Wait for the next piece."""
        piece = (self._coming or self._begin()).result()
        if not piece:
            raise StopIteration
        self._coming = self._begin()
        return piece

    def _begin(self) -> "Future[bytes]":
        """Let the event loop receive the next piece."""
        if self._is_ended:
            ended: Future[bytes] = Future()
            ended.set_result(b"")
            return ended
        return asyncio.run_coroutine_threadsafe(self._next_piece(), self._loop)

    async def close(self) -> None:
        """Receive nothing any more; called on the event loop when the thread is done, or is not waited for."""
        self._is_closed = True
        if self._reading is not None and not self._reading.done():
            self._reading.cancel()
            await asyncio.wait([self._reading])

    async def _next_piece(self) -> bytes:
        if self._is_closed:  # a thread that goes on must not take this for the end
            raise asyncio.CancelledError
        self._reading = asyncio.current_task()
        parts: list[bytes] = []
        size = 0
        while size < PIECE_BYTES:
            part = await self._next_part()
            if part is None:
                self._is_ended = True
                break
            size += len(part)
            parts.append(part)
        return b"".join(parts)

    async def _next_part(self) -> bytes | None:
        begun = self._clock()
        try:
            async with asyncio.timeout(self._pace.patience):
                part = await anext(self._stream, None)
        except TimeoutError:
            raise TooSlow(
                f"The body of the request comes with less than {LEAST_BYTES_PER_SECOND} bytes a second."
            ) from None
        self._pace.note(self._clock() - begun, len(part or b""))
        return part
