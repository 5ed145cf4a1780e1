"""Parts of a representation by their bytes (RFC 9110, section 14)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from fastapi import Request
from fastapi.responses import Response

from imageserver.api.multipart import PART_END, closing, new_boundary
from imageserver.api.problems import respond_to
from imageserver.api.streaming import stream
from imageserver.errors import RangeNotSatisfiable

MOST_RANGES = 32
ACCEPT_RANGES = {"Accept-Ranges": "bytes"}

ByteRange = tuple[int, int]
Read = Callable[[int, int], Iterable[bytes]]

_SPEC = re.compile(r"(\d{0,19})-(\d{0,19})", re.ASCII)


def wanted_ranges(request: Request, length: int, etag: str) -> list[ByteRange] | None:
    """Return which bytes are wanted, from the first up to before the last, merged; None for all of them.

    Parameters
    ----------
    request : Request
        A header ``Range`` that makes no sense, or that names more ranges than `MOST_RANGES`, is passed over, as the
        standard allows; so is one for another ``If-Range``.
    length : int
        Of the whole.
    etag : str
        Of the whole; a strong one.

    Raises
    ------
    RangeNotSatisfiable
        If none of the ranges lies in it.
    """
    unit, _, text = request.headers.get("range", "").partition("=")
    if unit.strip().lower() != "bytes" or request.headers.get("if-range", etag) != etag:
        return None
    specs = [_SPEC.fullmatch(part.strip()) for part in text.split(",", MOST_RANGES) if part.strip()]
    if not specs or len(specs) > MOST_RANGES:
        return None
    found = []
    for spec in specs:
        if spec is None or spec[0] == "-":
            return None
        first, last = spec[1], spec[2]
        if first and last and int(last) < int(first):
            return None
        start = int(first) if first else max(0, length - int(last))
        stop = min(length, int(last) + 1) if first and last else length
        if start < stop:
            found.append((start, stop))
    if not found:
        raise RangeNotSatisfiable(f"The value has {length} bytes.")
    return _merged(found)


def _merged(ranges: list[ByteRange]) -> list[ByteRange]:
    merged: list[ByteRange] = []
    for start, stop in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def answer_ranges(
    request: Request, read: Read, length: int, media_type: str, headers: Mapping[str, str]
) -> Response:
    """Answer with a representation, or with the parts of it that are wanted.

    Parameters
    ----------
    request : Request
        With its headers.
    read : function
        Gives the bytes from the first up to before the second number, in pieces.
    length : int
        Of the whole.
    media_type : str
        Of the whole.
    headers : mapping of str to str
        Of the answer, with a strong ``ETag``.
    """
    told = {**headers, **ACCEPT_RANGES}
    try:
        ranges = wanted_ranges(request, length, headers["ETag"])
    except RangeNotSatisfiable as error:
        refusal = respond_to(error)
        refusal.headers["Content-Range"] = f"bytes */{length}"
        return refusal
    if ranges is None:
        return stream(request, read(0, length), media_type, told, length)
    if len(ranges) == 1:
        start, stop = ranges[0]
        told["Content-Range"] = f"bytes {start}-{stop - 1}/{length}"
        return stream(request, read(start, stop), media_type, told, stop - start, status=206)
    boundary = new_boundary()
    heads = [_head(boundary, media_type, one, length) for one in ranges]
    total = sum(
        len(head) + stop - start + len(PART_END) for head, (start, stop) in zip(heads, ranges, strict=True)
    )
    parts = _parts(read, ranges, heads, boundary)
    kind = f"multipart/byteranges; boundary={boundary}"
    return stream(request, parts, kind, told, total + len(closing(boundary)), status=206)


def _head(boundary: str, media_type: str, part: ByteRange, length: int) -> bytes:
    place = f"bytes {part[0]}-{part[1] - 1}/{length}"
    return f"--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: {place}\r\n\r\n".encode("ascii")


def _parts(read: Read, ranges: list[ByteRange], heads: list[bytes], boundary: str) -> Iterator[bytes]:
    for head, (start, stop) in zip(heads, ranges, strict=True):
        yield head
        yield from read(start, stop)
        yield PART_END
    yield closing(boundary)
