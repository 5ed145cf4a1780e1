"""Taking answers of several parts apart, by the email package of the standard library."""

from email import policy
from email.parser import BytesParser
from typing import Any, NamedTuple


class Part(NamedTuple):
    """One part: media type, parameters and headers by lower-case name, content."""

    media_type: str
    parameters: dict[str, str]
    headers: dict[str, str]
    content: bytes


def parts_of(answer: Any, root: str = "application/octet-stream") -> list[Part]:
    """The parts of a multipart/related answer, cut by their own Content-Length, or where the next begins."""
    kind = answer.headers["Content-Type"]
    assert kind.startswith(f'multipart/related; type="{root}"; boundary=')
    boundary = b"--" + kind.partition("boundary=")[2].encode()
    body, parts = answer.content, []
    while not body.startswith(boundary + b"--\r\n"):
        assert body.startswith(boundary + b"\r\n")
        head, _, rest = body[len(boundary) + 2 :].partition(b"\r\n\r\n")
        message = BytesParser(policy=policy.HTTP).parsebytes(head + b"\r\n\r\n")
        length = int(message["Content-Length"] or rest.index(b"\r\n" + boundary))
        parameters = dict(message["Content-Type"].params)
        headers = {name.lower(): value for name, value in message.items()}
        parts.append(Part(message.get_content_type(), parameters, headers, rest[:length]))
        assert rest[length : length + 2] == b"\r\n"
        body = rest[length + 2 :]
    assert body == boundary + b"--\r\n"
    return parts
