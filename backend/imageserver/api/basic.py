"""``Authorization: Basic`` (RFC 7617), for DICOMweb clients that know nothing else: user name and token for programs.

Understood under ``/dicomweb`` only, and never with the password of an account.
"""

import binascii
from base64 import b64decode

from fastapi import Request

from imageserver.accounts.token_format import looks_like_program_token
from imageserver.errors import NotAuthenticated

PREFIX = "/dicomweb"
CHALLENGE = 'Basic realm="DICOMweb", charset="UTF-8"'
LONGEST = 1024


def may_offer_basic(request: Request) -> bool:
    """Tell whether a request that is refused may be told of Basic; many programs wait to be asked.

    A browser would ask its person for a password, over the page, and keep it. Browsers say where they come from.
    """
    is_browser = "origin" in request.headers or "sec-fetch-mode" in request.headers
    return not is_browser and _is_below_dicomweb(request)


def read_basic(request: Request) -> tuple[str, str] | None:
    """Return user name and token of the header; None where there is no such header.

    Raises
    ------
    NotAuthenticated
        If the header came to another address, or carries anything else than a token.
    """
    values = request.headers.getlist("authorization")
    scheme, _, encoded = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "basic":
        return None
    if not _is_below_dicomweb(request):
        raise NotAuthenticated("Basic is understood under /dicomweb only; send the token as `Bearer`.")
    username, token = _decode(encoded.strip(" "))
    if not looks_like_program_token(token):
        # The password of an account is never compared here: programs would keep it, and guessers would try it.
        raise NotAuthenticated("The password of Basic is a token for programs, never that of the account.")
    return username, token


def _is_below_dicomweb(request: Request) -> bool:
    path: str = request.scope["path"]
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def _decode(encoded: str) -> tuple[str, str]:
    try:
        text = b64decode(encoded if len(encoded) <= LONGEST else "", validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    username, colon, token = text.partition(":")
    if not colon:
        raise NotAuthenticated("The header is not of the form `Authorization: Basic <user:token in base64>`.")
    return username, token
