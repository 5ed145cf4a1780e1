"""Answers that are made while they are sent."""

import time
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

_LEVEL = 5
_GZIP = 16 + zlib.MAX_WBITS
PIECE = 1 << 20  # bytes that wait for a slow client
WORTH_COPYING = 1 << 18  # bytes of a piece up to which it is joined with its neighbours
LONGEST_SECONDS = 0.05  # in which pieces are gathered, so that slow ones do not wait for each other


def stream(
    request: Request,
    pieces: Iterable[bytes],
    media_type: str,
    headers: Mapping[str, str],
    length: int | None = None,
    status: int = 200,
) -> Response:
    """Answer with pieces as they come, in a thread; for HEAD none of them is made.

    Call it in a thread: the first pieces are made before it returns, so that an answer that is small is whole by then,
    and what is wrong with them can still be the answer.

    Parameters
    ----------
    request : Request
        For whether a body is wanted.
    pieces : iterable of bytes
        Asked for the next when the client has taken nearly all that was made; not any more when it has gone.
    media_type : str
        Of the whole.
    headers : mapping of str to str
        Of the answer.
    length : int, optional
        Of all pieces, where it is known.
    status : int
        Of the answer.
    """
    told = {**headers, **({} if length is None else {"Content-Length": str(length)})}
    if getattr(request.state, "is_head", False):
        response = Response(status_code=status, headers={**told, "Content-Type": media_type})
        if length is None:
            del response.headers["Content-Length"]
        return response
    return _Pieces(_small(pieces), status, told, media_type)


def gzipped(
    request: Request, pieces: Iterable[bytes], headers: Mapping[str, str]
) -> tuple[Iterable[bytes], dict[str, str]]:
    """Compress pieces where the client takes gzip, for media types that are not compressed by themselves.

    Returns
    -------
    iterable of bytes
        The pieces.
    dict
        The headers, with what is to be said of it.
    """
    told = {**headers, "Vary": f"{headers.get('Vary', '')}, Accept-Encoding".lstrip(", ")}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return pieces, told
    return _compressed(pieces), {**told, "Content-Encoding": "gzip"}


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    gzip = zlib.compressobj(_LEVEL, wbits=_GZIP)
    for piece in pieces:
        yield gzip.compress(piece)
    yield gzip.flush()


def _small(pieces: Iterable[bytes]) -> Iterator[bytes]:
    # As bytes: the layer that compresses compares what it was given with what it gives, which takes long for views.
    for piece in pieces:
        if len(piece) <= PIECE:
            yield piece
            continue
        for start in range(0, len(piece), PIECE):
            yield piece[start : start + PIECE]


class _Batch(NamedTuple):
    pieces: list[bytes]
    is_last: bool


def _gather(pieces: Iterator[bytes]) -> _Batch:
    """Take the next pieces: about as many bytes as may wait for a client, but without letting it wait."""
    batch: list[bytes] = []
    size, until = 0, time.monotonic() + LONGEST_SECONDS
    for piece in pieces:
        batch.append(piece)
        size += len(piece)
        if size >= PIECE or time.monotonic() > until:
            return _Batch(_joined(batch), is_last=False)
    return _Batch(_joined(batch), is_last=True)


def _joined(pieces: Iterable[bytes]) -> list[bytes]:
    """Join small neighbours: each piece goes through all layers on its own, which takes longer than copying it."""
    joined: list[bytes] = []
    for is_small, run in groupby(pieces, key=lambda piece: len(piece) < WORTH_COPYING):
        neighbours = list(run)
        joined += [b"".join(neighbours)] if is_small else neighbours
    return joined


class _Pieces(StreamingResponse):
    """An answer whose pieces are made in a thread, several at a time: each way to it and back takes its time."""

    def __init__(
        self, pieces: Iterator[bytes], status: int, headers: Mapping[str, str], media_type: str
    ) -> None:
        self._first = _gather(pieces)
        super().__init__(_later(self._first, pieces), status, headers, media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what is there; only where more is to be made, watch meanwhile whether the client is still there."""
        if not self._first.is_last:
            await super().__call__(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        *pieces, last = self._first.pieces or [b""]
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": last, "more_body": False})


async def _later(batch: _Batch, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        for piece in batch.pieces:
            yield piece
        if batch.is_last:
            return
        batch = await run_in_threadpool(_gather, pieces)
