"""The cookie ``imageserver_session``: what a browser keeps of a session (docs/decisions/0011-session-cookie.md)."""

from typing import Any

from fastapi import Request, Response

NAME = "imageserver_session"


def read_cookie(request: Request) -> str | None:
    """Return the cookie's value, if the request has one."""
    return request.cookies.get(NAME) or None


def set_cookie(request: Request, response: Response, value: str) -> None:
    """Give the browser the cookie, until it is closed; the server ends the session before if its time is over."""
    response.set_cookie(NAME, value, **_attributes(request))


def delete_cookie(request: Request, response: Response) -> None:
    """Take the cookie from the browser."""
    response.delete_cookie(NAME, **_attributes(request))


def _attributes(request: Request) -> dict[str, Any]:
    # Secure only over https: on a plain-http address browsers would drop the cookie, and nobody could log in.
    return {
        "path": "/auth/",
        "httponly": True,
        "samesite": "strict",
        "secure": request.url.scheme == "https",
    }
