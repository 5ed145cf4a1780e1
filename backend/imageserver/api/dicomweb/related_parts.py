"""Reading ``multipart/related`` (RFC 2387, RFC 2046 section 5.1) while it comes, with bounded memory.

The parser is that of the library `python-multipart`, which also reads forms; here are the bounds, what may stand in
front of the first part, and the parts as iterators.
"""

import logging
import re
from collections import deque
from collections.abc import Iterable, Iterator
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import NamedTuple

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from imageserver.errors import MalformedBody, UnsupportedMediaType

MAX_PART_HEADERS = 16
MAX_HEADER_BYTES = 1024
MAX_PREAMBLE_BYTES = 64 * 1024
# RFC 2046 5.1.1: 1 to 70 characters, the last one no blank. Orthanc's have 73, so that more are taken.
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,199}[0-9A-Za-z'()+_,./:=?-]")
_BREAKS = "The body is not multipart/related with the boundary that its type names."

logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # its warnings quote what came


class Part(NamedTuple):
    """One part: its headers, names in lower case, and its content, which has to be read before the next part is."""

    headers: dict[str, str]
    content: Iterator[bytes]


def read_content_type(value: str) -> tuple[str, dict[str, str]]:
    """Return the media type and its parameters, names in lower case; of one that comes twice the first.

    Raises
    ------
    UnsupportedMediaType
        If the parameters make no sense.
    """
    message = Message()
    message["content-type"] = value
    try:
        named = message.get_params(failobj=[])[1:]
        parameters = {name.lower(): collapse_rfc2231_value(text) for name, text in reversed(named)}
    except (
        LookupError,
        TypeError,
        ValueError,
    ):  # the library raises them for parameters in odd pieces (RFC 2231)
        raise UnsupportedMediaType("The parameters of Content-Type cannot be read.") from None
    return message.get_content_type(), parameters


def check_boundary(boundary: str) -> bytes:
    """Return a boundary as bytes.

    Raises
    ------
    MalformedBody
        If it is none.
    """
    encoded = boundary.encode("latin-1", "replace")
    if not _BOUNDARY.fullmatch(encoded):
        raise MalformedBody("The type of the body needs a boundary of 1 to 200 characters (RFC 2046, 5.1.1).")
    return encoded


def read_parts(pieces: Iterable[bytes], boundary: bytes) -> Iterator[Part]:
    """Divide a body into its parts.

    Parameters
    ----------
    pieces : iterable of bytes
        The body.
    boundary : bytes
        As `check_boundary` returns it.

    Raises
    ------
    MalformedBody
        If it is not of this form, has too many or too long headers, or ends before its last boundary.
    """
    reader = _Reader(pieces, boundary)
    while reader.find_part():
        part = Part(reader.read_headers(), reader.read_content())
        yield part
        for _ in part.content:
            pass


class _Reader:
    """Asks for the next piece when all that the last one told has been taken."""

    def __init__(self, pieces: Iterable[bytes], boundary: bytes) -> None:
        self._pieces = _without_preamble(iter(pieces), boundary)
        self._told: deque[tuple[str, bytes]] = deque()
        self._is_ended = False
        self._parser = MultipartParser(
            boundary,
            callbacks={
                "on_part_begin": lambda: self._tell("begin"),
                "on_header_field": lambda data, start, end: self._tell("name", data[start:end]),
                "on_header_value": lambda data, start, end: self._tell("value", data[start:end]),
                "on_header_end": lambda: self._tell("header"),
                "on_headers_finished": lambda: self._tell("headers"),
                "on_part_data": lambda data, start, end: self._tell("data", data[start:end]),
                "on_part_end": lambda: self._tell("end"),
                "on_end": self._end,
            },
            max_header_count=MAX_PART_HEADERS,
            max_header_size=MAX_HEADER_BYTES,
        )

    def find_part(self) -> bool:
        """Go to the next part; False at the end."""
        told = self._next()
        return told is not None and told[0] == "begin"

    def read_headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        name, value = b"", b""
        while (told := self._next()) is not None:
            kind, data = told
            if kind == "name":
                name += data
            elif kind == "value":
                value += data
            elif kind == "header":
                headers[name.decode("latin-1").strip().lower()] = value.decode("latin-1").strip()
                name, value = b"", b""
            elif kind == "headers":
                return headers
        raise MalformedBody(_BREAKS)

    def read_content(self) -> Iterator[bytes]:
        while (told := self._next()) is not None:
            kind, data = told
            if kind == "end":
                return
            yield data
        raise MalformedBody(_BREAKS)

    def _tell(self, kind: str, data: bytes = b"") -> None:
        self._told.append((kind, data))

    def _end(self) -> None:
        self._is_ended = True

    def _next(self) -> tuple[str, bytes] | None:
        while not self._told:
            piece = next(self._pieces, None)
            if piece is None:
                if not self._is_ended:
                    raise MalformedBody("The body ends before its last boundary.")
                return None
            try:
                self._parser.write(piece)
            except MultipartParseError:
                raise MalformedBody(_BREAKS) from None
        return self._told.popleft()


def _without_preamble(pieces: Iterator[bytes], boundary: bytes) -> Iterator[bytes]:
    """Leave out what stands in front of the first boundary, which means nothing (RFC 2046, 5.1.1).

    The parser skips blanks behind a boundary, but not behind the first one: they are left out as well. A line that
    only begins as the boundary does is still in front of it.
    """
    line = b"--" + boundary
    delimiter = re.compile(rb"(?:\A|\n)" + re.escape(line) + rb"(?:[ \t]*\r\n|(?=--))")
    head = b""
    for piece in pieces:
        head += piece
        if found := delimiter.search(head):
            is_last = not found.group().endswith(b"\n")
            yield line + (b"" if is_last else b"\r\n") + head[found.end() :]
            break
        if len(head) > MAX_PREAMBLE_BYTES:
            raise MalformedBody(_BREAKS)
    else:
        raise MalformedBody(_BREAKS)
    yield from pieces
