"""The body of a request as an iterator for a thread: bounded in memory, in time, and never read before it is wanted."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import anyio.from_thread
from fastapi import Request

from imageserver.errors import TooSlow

PIECE_BYTES = 1 << 20  # a thread and the event loop meet once for so much
STALL_SECONDS = 60.0


class RequestBody(Iterator[bytes]):
    """Pieces of a body as they come.

    Parameters
    ----------
    request : Request
        Its body must not have been read.
    stall_seconds : float
        How long the client may send nothing.

    Raises
    ------
    TooSlow
        From `next`, if the client stalls.
    ClientDisconnect
        From `next`, if it has gone, or has sent more than it may.
    """

    def __init__(self, request: Request, stall_seconds: float = STALL_SECONDS) -> None:
        self._stream: AsyncIterator[bytes] = request.stream()
        self._stall_seconds = stall_seconds

    def __next__(self) -> bytes:
        """Wait for the next piece; called in a thread that the event loop has started."""
        piece = anyio.from_thread.run(self._next_piece)
        if not piece:
            raise StopIteration
        return piece

    async def _next_piece(self) -> bytes:
        parts: list[bytes] = []
        size = 0
        while size < PIECE_BYTES:
            try:
                async with asyncio.timeout(self._stall_seconds):
                    part = await anext(self._stream, None)
            except TimeoutError:
                raise TooSlow("The body of the request did not go on coming.") from None
            if part is None:
                break
            size += len(part)
            parts.append(part)
        return b"".join(parts)
