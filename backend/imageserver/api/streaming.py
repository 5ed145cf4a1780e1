"""Answers that are made while they are sent."""

from collections.abc import Iterable, Iterator, Mapping

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

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


def _small(pieces: Iterable[bytes]) -> Iterator[memoryview]:
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(view), PIECE):
            yield view[start : start + PIECE]
