"""Answers that are made while they are sent."""

import zlib
from collections.abc import Iterable, Iterator, Mapping

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

_LEVEL = 5
_GZIP = 16 + zlib.MAX_WBITS
PIECE = 1 << 20  # bytes that wait for a slow client


def stream(
    request: Request,
    pieces: Iterable[bytes],
    media_type: str,
    headers: Mapping[str, str],
    length: int | None = None,
    status: int = 200,
) -> Response:
    """Answer with pieces as they come, in a thread; for HEAD none of them is made.

    Parameters
    ----------
    request : Request
        For whether a body is wanted.
    pieces : iterable of bytes
        Asked for the next piece when the client has taken the last; not any more when it has gone.
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
    return StreamingResponse(_small(pieces), status, told, media_type)


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


def _small(pieces: Iterable[bytes]) -> Iterator[memoryview]:
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(view), PIECE):
            yield view[start : start + PIECE]
