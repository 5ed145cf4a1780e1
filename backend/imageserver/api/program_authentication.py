"""Programs that ask: which one a token stands for, and what becomes of tokens that open nothing."""

from datetime import datetime
from typing import NoReturn

from fastapi import Request

from imageserver.accounts import program_tokens, throttling
from imageserver.accounts.callers import Program
from imageserver.accounts.models import TokenEnd, TokenRights
from imageserver.accounts.program_tokens import FoundToken
from imageserver.accounts.token_format import is_well_formed
from imageserver.accounts.usernames import normalise_username
from imageserver.api.client_address import client_address, network_of
from imageserver.api.dependencies import get_database
from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import UNKNOWN_USER, Actor, record_event
from imageserver.errors import InsufficientScope, InvalidToken, TokenExpired, TooManyAttempts
from imageserver.logs import request_id

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110, section 9.2.1; TRACE is answered nowhere


def authenticate_program(
    request: Request, secret: str, now: datetime, *, username: str | None = None
) -> Program:
    """Return the program behind a token, if it may make this request.

    Raises
    ------
    InvalidToken, TokenExpired, TooManyAttempts
        If the token opens nothing, or not to this user name.
    InsufficientScope
        If the token only reads, and the request is not one to read.
    """
    if not is_well_formed(secret):
        raise InvalidToken("The token is not complete: characters are missing, or differ.")
    database = get_database(request)
    with database.asking() as connection:
        found = program_tokens.find_program(connection, secret, now)
    if found is not None and username is not None and normalise_username(username) != found.program.username:
        found = None
    if found is None or found.end is not None:
        _refuse(request, found, now)
    program = found.program
    program_tokens.touch_if_due(database, program, now)
    request.state.username = program.username  # for the access log
    if program.rights is not TokenRights.READ_WRITE and request.method not in SAFE_METHODS:
        raise InsufficientScope(
            f"The token may only read; {request.method} needs one that may read and write.",
            scope=TokenRights.READ_WRITE,
        )
    return program


def _refuse(request: Request, found: FoundToken | None, now: datetime) -> NoReturn:
    """Count and record a token that opens nothing, unless its network must wait; a good token never waits."""
    key = throttling.tokens_key(network_of(request))
    database = get_database(request)
    with database.reading() as session:
        wait: int | None = throttling.seconds_to_wait(session, key, now)
    if not wait:
        with database.writing() as session:
            wait = throttling.count_attempt(session, [key], now)
            if wait is None:
                reason = "unknown" if found is None or found.end is None else found.end
                record_event(
                    session, _actor(request, found), Kind.TOKEN_REFUSED, Outcome.FAILURE, now, reason=reason
                )
    if wait:
        raise TooManyAttempts(
            f"Too many requests with tokens that open nothing. Wait {wait} s; a good token need not wait.",
            retry_after=wait,
        )
    if found is not None and found.end is TokenEnd.EXPIRED:
        raise TokenExpired("The token for programs has expired; its user makes a new one.")
    raise InvalidToken("The token for programs is not valid: it was revoked, or there never was one like it.")


def _actor(request: Request, found: FoundToken | None) -> Actor:
    program = found.program if found else None
    return Actor(
        username=program.username if program else UNKNOWN_USER,
        user_id=program.user_id if program else None,
        token_id=program.token_id if program else None,
        token_name=program.token_name if program else None,
        request_id=request_id.get(),
        client_address=client_address(request),
    )
