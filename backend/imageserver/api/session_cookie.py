"""The cookie ``imageserver_session``: what a browser keeps of a session (docs/decisions/0008-session-cookie.md)."""

from typing import Any

from fastapi import Request, Response

from imageserver.api.authentication import get_signing_keys

NAME = "imageserver_session"


def has_cookie(request: Request) -> bool:
    """Tell whether the browser sent the cookie, good or not."""
    return bool(request.cookies.get(NAME))


def read_cookie(request: Request) -> str | None:
    """Return the secret in the cookie, if the request has one that a present key sealed."""
    sealed = request.cookies.get(NAME)
    return get_signing_keys(request).unseal(sealed) if sealed else None


def set_cookie(request: Request, response: Response, secret: str) -> None:
    """Give the browser the cookie, until it is closed; the server ends the session before if its time is over."""
    response.set_cookie(NAME, get_signing_keys(request).seal(secret), **_attributes(request))


def renew_cookie(request: Request, response: Response, secret: str) -> None:
    """Seal the cookie anew where an older key did, so that the old key can be removed."""
    if not get_signing_keys(request).is_sealed_by_signing_key(request.cookies[NAME]):
        set_cookie(request, response, secret)


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
