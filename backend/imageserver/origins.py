"""What a web origin is (RFC 6454), and which ones a list of settings may name."""

from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


class InvalidOrigin(ValueError):
    """The text is not one exact http or https origin."""


def normalise_origin(text: str) -> str:
    """Write an origin as browsers send it: lower case, no default port, nothing after the host.

    Raises
    ------
    InvalidOrigin
        For ``*``, ``null``, patterns, other schemes, and anything with a path, query or user.
    """
    origin = text.strip().rstrip("/")
    try:
        parts = urlsplit(origin)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidOrigin(f"{text!r} is not an origin such as http://localhost:3000") from None
    has_more = parts.path or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in DEFAULT_PORTS or not host or "*" in host or has_more:
        raise InvalidOrigin(f"{text!r} is not one exact origin such as http://localhost:3000")
    host = f"[{host}]" if ":" in host else host
    shown_port = "" if port in {None, DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{shown_port}"
