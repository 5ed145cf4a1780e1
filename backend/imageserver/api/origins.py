"""The check of ``Origin`` on requests that change something under ``/auth/`` (defence against forged requests)."""

from fastapi import Request, Response

from imageserver.api.dependencies import get_settings
from imageserver.errors import OriginNotAllowed
from imageserver.origins import InvalidOrigin, normalise_origin


async def check_origin(request: Request) -> None:
    """Refuse a POST that comes from a page of another site; one without ``Origin`` comes from no page.

    Raises
    ------
    OriginNotAllowed
        If the origin is neither on the list of the settings nor the API's own.
    """
    if request.method == "POST":
        for origin in request.headers.getlist("origin"):
            if not _is_allowed(request, origin):
                raise OriginNotAllowed(
                    "Pages of this origin may not use the API. IMAGESERVER_CORS_ORIGINS lists those that may."
                )


def require_origin(request: Request) -> None:
    """Refuse a request that acts by the cookie alone and does not say which page sent it.

    Raises
    ------
    OriginNotAllowed
        If there is not exactly one ``Origin``; ``check_origin`` has looked at its value.
    """
    if len(request.headers.getlist("origin")) != 1:
        raise OriginNotAllowed("By cookie, this is only answered to a page, which names its origin.")


def _is_allowed(request: Request, origin: str) -> bool:
    try:
        own = normalise_origin(f"{request.url.scheme}://{request.headers.get('host', '')}")
    except InvalidOrigin:
        own = ""
    return bool(origin) and (origin == own or origin in get_settings(request).effective_cors_origins)


async def forbid_storing(response: Response) -> None:
    """Keep tokens and names out of every cache (RFC 6749, section 5.1)."""
    response.headers["Cache-Control"] = "no-store"
