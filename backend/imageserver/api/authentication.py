"""Who asks: the ``CurrentUser`` that protected routes depend on."""

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import OAuth2PasswordBearer

from imageserver.accounts import sessions
from imageserver.accounts.callers import Caller, SignedInUser
from imageserver.accounts.keys import SigningKeys
from imageserver.accounts.sessions import SessionLimits
from imageserver.accounts.token_format import looks_like_program_token
from imageserver.accounts.tokens import AccessClaims, read_access_token
from imageserver.api.basic import read_basic
from imageserver.api.dependencies import Now, get_database, get_now, get_settings
from imageserver.api.program_authentication import authenticate_program
from imageserver.errors import InsufficientScope, NotAuthenticated, SessionEnded
from imageserver.settings import Settings

# For the OpenAPI document, and *Authorize* on /docs; get_bearer reads the header itself, and more strictly.
bearer_scheme = OAuth2PasswordBearer(tokenUrl="/auth/token", auto_error=False)


def get_signing_keys(request: Request) -> SigningKeys:
    """Return the keys that the application was started with."""
    keys: SigningKeys = request.app.state.signing_keys
    return keys


def session_limits(settings: Settings) -> SessionLimits:
    """Take the two limits out of the settings."""
    return SessionLimits(
        idle=timedelta(minutes=settings.session_idle_minutes),
        longest=timedelta(hours=settings.session_max_hours),
    )


def get_bearer(request: Request) -> str | None:
    """Return the token of the one ``Authorization: Bearer`` header (RFC 6750, section 2.1); None without any header.

    Raises
    ------
    NotAuthenticated
        If there are several headers, another scheme, or no token in it.
    """
    values = request.headers.getlist("authorization")
    if not values:
        return None
    scheme, _, token = values[0].partition(" ")
    token = token.strip(" ")
    if len(values) != 1 or scheme.lower() != "bearer" or token.split() != [token]:
        raise NotAuthenticated(
            "The request needs one header of the form `Authorization: Bearer <access token>`."
        )
    return token


def get_current_user(
    request: Request, now: Now, _documented: Annotated[str | None, Depends(bearer_scheme)] = None
) -> Caller:
    """Read the session or the program that the request's token names, as it is in the database at this moment.

    Raises
    ------
    NotAuthenticated, InvalidToken, TokenExpired, SessionEnded, TooManyAttempts, InsufficientScope
        If the request may not be answered.
    """
    basic = read_basic(request)
    if basic is not None:
        return authenticate_program(request, basic[1], now, username=basic[0])
    token = get_bearer(request)
    if token is None:
        raise NotAuthenticated("Log in first: the request carries no access token.")
    if looks_like_program_token(token):
        return authenticate_program(request, token, now)
    return _get_signed_in_user(request, token, now)


def _get_signed_in_user(request: Request, token: str, now: datetime) -> SignedInUser:
    claims = read_access_token(get_signing_keys(request), token, now)
    database, limits = get_database(request), session_limits(get_settings(request))
    with database.asking() as connection:
        user = sessions.find_by_id(connection, claims.session_id, limits, now)
    if user is None or user.user_id != claims.user_id:
        raise SessionEnded("The session has ended; log in again.")
    sessions.touch_if_due(database, user, now)
    request.state.username = user.username  # for the access log
    return user


def get_session_user(user: Annotated[Caller, Depends(get_current_user)]) -> SignedInUser:
    """Let a person through, and no program: an account is managed by its user.

    Raises
    ------
    InsufficientScope
        If a program asks.
    """
    if not isinstance(user, SignedInUser):
        raise InsufficientScope(
            "An account is managed by its user, who logs in; a token does not reach this."
        )
    return user


def get_claims_to_end(request: Request, now: Now) -> AccessClaims | None:
    """Read the token of a request to log out: one that has run out still names its session."""
    try:
        token = get_bearer(request)
        return (
            None
            if token is None
            else read_access_token(get_signing_keys(request), token, now, accept_expired=True)
        )
    except NotAuthenticated:
        return None


def asks_for_user(dependant: Dependant) -> bool:
    """Tell whether a route depends on `CurrentUser`, itself or through others."""
    return _depends_on(get_current_user, dependant)


def _depends_on(call: Callable[..., Any], dependant: Dependant) -> bool:
    return dependant.call is call or any(_depends_on(call, one) for one in dependant.dependencies)


class AuthenticatedFirst(APIRoute):
    """A route that knows who asks before it reads the body: a stranger gets 401, whatever was sent.

    FastAPI reads the body first and asks the dependencies afterwards. For a protected route with a body the session is
    thus looked up twice.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        handle = super().get_route_handler()
        if self.body_field is None or not asks_for_user(self.dependant):
            return handle

        is_for_persons = _depends_on(get_session_user, self.dependant)

        async def authenticate_first(request: Request) -> Response:
            user = await run_in_threadpool(get_current_user, request, await get_now(request))
            if is_for_persons:
                get_session_user(user)
            return await handle(request)

        return authenticate_first


CurrentUser = Annotated[Caller, Depends(get_current_user)]
SessionUser = Annotated[SignedInUser, Depends(get_session_user)]
ClaimsToEnd = Annotated[AccessClaims | None, Depends(get_claims_to_end)]
