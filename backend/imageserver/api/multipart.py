"""Answers of several parts (RFC 2046, section 5.1; multipart/related, RFC 2387)."""

import secrets
from collections.abc import Mapping

from imageserver.api.problems import respond_to, respond_to_unexpected
from imageserver.errors import AppError

OCTETS = "application/octet-stream"
PROBLEM = "application/problem+json"
_DIGITS = 12  # of a length that is filled with blanks


def new_boundary() -> str:
    """Return what stands between parts, and in none of them."""
    return secrets.token_hex(24)


def media_type(boundary: str, root: str = OCTETS) -> str:
    """Return the value of ``Content-Type`` for the whole."""
    return f'multipart/related; type="{root}"; boundary={boundary}'


def content_type(base: str, parameters: Mapping[str, str]) -> str:
    """Return the value of ``Content-Type`` for a part; parameters are tokens, and left out where empty."""
    return "; ".join([base, *(f"{name}={value}" for name, value in parameters.items() if value)])


def part_head(boundary: str, kind: str, location: str, length: int | None) -> bytes:
    """Return what stands in front of the content of a part; `length` is None where it is not known yet."""
    head = f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Location: {location}\r\n"
    told = "" if length is None else f"Content-Length: {length}\r\n"
    return f"{head}{told}\r\n".encode("ascii")


PART_END = b"\r\n"


def closing(boundary: str) -> bytes:
    """Return what stands behind the last part."""
    return f"--{boundary}--\r\n".encode("ascii")


def problem_part(boundary: str, location: str, error: Exception, size: int | None = None) -> bytes:
    """Return a part that says why there is no other.

    Parameters
    ----------
    boundary : str
        Of the answer.
    location : str
        Of what was wanted.
    error : Exception
        One of the tree of errors, or an unexpected one.
    size : int, optional
        Of the part that was promised, its end included; the problem document is filled up with blanks to that size,
        which JSON allows.
    """
    document = respond_to(error) if isinstance(error, AppError) else respond_to_unexpected(error)
    body = bytes(document.body)
    if size is None:
        return part_head(boundary, PROBLEM, location, len(body)) + body + PART_END
    head = f"--{boundary}\r\nContent-Type: {PROBLEM}\r\nContent-Location: {location}\r\nContent-Length: "
    length = size - len(head) - _DIGITS - len("\r\n\r\n") - len(PART_END)
    return f"{head}{length:>{_DIGITS}}\r\n\r\n".encode("ascii") + body.ljust(length) + PART_END
