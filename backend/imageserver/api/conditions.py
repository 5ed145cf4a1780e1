"""Conditional requests (RFC 9110, section 13)."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from imageserver.errors import InvalidParameter

# Of answers that tell of patients: no cache keeps them; a page that polls sends the tag of what it has in memory.
NO_STORE = {"Cache-Control": "no-store", "Vary": "Authorization"}
# Of pixels at addresses whose content may change.
REVALIDATED = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
# Of addresses that carry a digest of what they answer, which only those learn who may read it.
IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable"}
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "Nothing has changed since the answer with this `ETag`."}
}


def matches_etag(request: Request, etag: str) -> bool:
    """Tell whether the client has this representation already (``If-None-Match``; weak comparison)."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in given.split(",")]
    return etag in tags or tags == ["*"]


def not_modified(etag: str, headers: Mapping[str, str]) -> Response:
    """Answer that the client's copy is good, with the headers that the full answer would have."""
    return Response(status_code=304, headers={**headers, "ETag": etag})


def read_version(if_match: str) -> str:
    """Return the version that ``If-Match`` names, ``*`` for any; it is compared strongly, so a weak tag is no version.

    Raises
    ------
    InvalidParameter
        If it is neither ``*`` nor one tag in quotes.
    """
    if if_match == "*":
        return if_match
    tag = if_match.strip()
    if len(tag) < 2 or tag[0] != '"' or tag[-1] != '"' or '"' in tag[1:-1]:
        raise InvalidParameter('If-Match: must be one entity tag, as `"3f0c…"`, or `*`.')
    return tag[1:-1]
