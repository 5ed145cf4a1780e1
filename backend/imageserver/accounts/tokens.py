"""Access tokens: JSON Web Tokens, HS256, fifteen minutes.

The only module that knows ``python-jose``. The library is used for the signature alone; what it would let pass
(``crit``, ``typ``, unknown header members, loose base64, missing or odd claims) is checked here first. The header is
compared, never obeyed (RFC 8725, section 3).
"""

import json
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NoReturn

from jose import jws
from jose.exceptions import JOSEError

from imageserver.accounts.keys import SigningKeys
from imageserver.errors import InvalidToken, TokenExpired

ALGORITHM = "HS256"
TYPE = "at+jwt"  # RFC 9068
ISSUER = "imageserver"
AUDIENCE = "imageserver-api"
LIFETIME = timedelta(minutes=15)
LEEWAY_SECONDS = 10  # between the clocks of hosts that share keys
LONGEST_TOKEN = 2048
LATEST_TIME = 2**40
REMEMBERED = 1024  # tokens whose signature was found good

_TEXT_CLAIMS = ("iss", "aud", "sub", "sid", "jti")
_TIME_CLAIMS = ("iat", "nbf", "exp")
_PART = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class AccessClaims:
    """What a verified token says."""

    user_id: str
    session_id: str
    token_id: str
    issued: datetime
    expires: datetime


def issue_access_token(
    keys: SigningKeys, user_id: str, session_id: str, session_expires: datetime, now: datetime
) -> tuple[str, int]:
    """Sign a token that names a user and a session.

    Returns
    -------
    tuple of str and int
        The token, and the seconds it lasts: fifteen minutes, less where the session ends before.
    """
    issued = int(now.timestamp())
    expires = min(issued + int(LIFETIME.total_seconds()), int(session_expires.timestamp()))
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user_id,
        "sid": session_id,
        "jti": secrets.token_hex(16),
        "iat": issued,
        "nbf": issued,
        "exp": expires,
    }
    header = {"typ": TYPE, "kid": keys.signing.id}
    token: str = jws.sign(claims, keys.signing.secret, headers=header, algorithm=ALGORITHM)
    return token, expires - issued


def read_access_token(
    keys: SigningKeys, token: str, now: datetime, *, accept_expired: bool = False
) -> AccessClaims:
    """Verify a token. With ``accept_expired`` one that has run out is still read: only logging out may ask for that.

    Raises
    ------
    TokenExpired
        If only its time is over.
    InvalidToken
        If anything else about it is wrong.
    """
    return _check_claims(_signed_claims(keys, token), int(now.timestamp()), accept_expired)


@lru_cache(maxsize=REMEMBERED)
def _signed_claims(keys: SigningKeys, token: str) -> dict[str, Any]:
    """Return what a token says, not to be changed; that it is signed is as true at the next request as at this one.

    What is refused is not remembered. Whether a token's time is over is no part of this.
    """
    header = _decode_checked_parts(token)
    key_id = header.get("kid")
    if header != {"alg": ALGORITHM, "typ": TYPE, "kid": key_id} or not isinstance(key_id, str):
        _refuse()
    key = keys.find(key_id)
    if key is None:
        _refuse()
    try:
        payload = jws.verify(token, key.secret, algorithms=[ALGORITHM])
    except JOSEError:
        _refuse()
    return _parse_object(payload)


def _decode_checked_parts(token: str) -> dict[str, Any]:
    parts = token.split(".", 3) if len(token) <= LONGEST_TOKEN else []
    if len(parts) != 3:
        _refuse()
    decoded = [_decode_part(part) for part in parts]
    return _parse_object(decoded[0])


def _decode_part(part: str) -> bytes:
    # Strict, because several spellings of one token would be several tokens to whoever compares them.
    if not _PART.fullmatch(part) or len(part) % 4 == 1:
        _refuse()
    decoded = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        _refuse()
    return decoded


def _parse_object(text: bytes) -> dict[str, Any]:
    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a member occurs twice")
        return found

    try:
        value = json.loads(text, object_pairs_hook=without_duplicates)
    except (ValueError, RecursionError):
        _refuse()
    return value if isinstance(value, dict) else _refuse()


def _check_claims(claims: dict[str, Any], now: int, accept_expired: bool) -> AccessClaims:
    texts = [claims.get(name) for name in _TEXT_CLAIMS]
    times = [claims.get(name) for name in _TIME_CLAIMS]
    if set(claims) != {*_TEXT_CLAIMS, *_TIME_CLAIMS} or claims["iss"] != ISSUER or claims["aud"] != AUDIENCE:
        _refuse()
    if not all(isinstance(text, str) and 1 <= len(text) <= 64 for text in texts):
        _refuse()
    if not all(type(time) is int and 0 <= time < LATEST_TIME for time in times):
        _refuse()
    issued, not_before, expires = claims["iat"], claims["nbf"], claims["exp"]
    if not 0 < expires - issued <= LIFETIME.total_seconds():
        _refuse()
    if max(issued, not_before) > now + LEEWAY_SECONDS:
        _refuse()
    if now >= expires + LEEWAY_SECONDS and not accept_expired:
        raise TokenExpired("The access token has run out.")
    moments = (datetime.fromtimestamp(time, UTC) for time in (issued, expires))
    return AccessClaims(claims["sub"], claims["sid"], claims["jti"], *moments)


def _refuse() -> NoReturn:
    # One sentence for all reasons: which check failed is of use to nobody but a forger.
    raise InvalidToken("The access token is not valid.")
