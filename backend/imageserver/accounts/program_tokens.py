"""Tokens for programs: made, listed and revoked by their user, read at every request.

A token acts as its user, never beyond the user's role, and not at all once it is revoked, has expired, or its account
is disabled. As with sessions there is no cache: an end counts at the next request in every worker.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from imageserver.accounts.callers import Program
from imageserver.accounts.models import ProgramToken, TokenEnd, TokenRights, User, new_id
from imageserver.accounts.token_format import START_LENGTH, hash_secret, make_secret
from imageserver.database import Database
from imageserver.errors import InvalidParameter, TokenNotFound, TooManyTokens

LONGEST_NAME = 64
LONGEST_LIFE = timedelta(days=366)
MOST_TOKENS = 50  # of one user, that are not revoked
TOUCH_AFTER = timedelta(minutes=1)
MEMORY = timedelta(days=90)  # of tokens that are over


@dataclass(frozen=True)
class NewToken:
    """A new token, and its secret, which is kept nowhere."""

    token: ProgramToken
    secret: str


@dataclass(frozen=True)
class FoundToken:
    """Whose token a secret is, and why it may not be used, where it may not."""

    program: Program
    end: TokenEnd | None


def check_name(text: str) -> str:
    """Bring a name into the form that is stored.

    Raises
    ------
    InvalidParameter
        If nothing is left of it, or it is too long, or not one line of text.
    """
    name = " ".join(text.split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidParameter(f"The name of a token is one line of 1 to {LONGEST_NAME} characters.")
    return name


def check_expiry(expires: datetime, now: datetime) -> None:
    """Accept a time at which a token is to expire.

    Raises
    ------
    InvalidParameter
        If it is not later than now, or more than 366 days away.
    """
    if not now < expires <= now + LONGEST_LIFE:
        raise InvalidParameter(f"A token expires in the future, after at most {LONGEST_LIFE.days} days.")


def check_room(session: Session, user_id: str) -> None:
    """Accept one more token of a user.

    Raises
    ------
    TooManyTokens
        If there are 50 already.
    """
    count = session.scalar(select(func.count()).where(_kept(user_id))) or 0
    if count >= MOST_TOKENS:
        raise TooManyTokens(f"There are {count} tokens; revoke one that is not needed any more.")


def make_token(
    session: Session, user_id: str, name: str, rights: TokenRights, expires: datetime, now: datetime
) -> NewToken:
    """Make a token of a user, under a name that `check_name` returned.

    Raises
    ------
    TooManyTokens
        If the user has 50 already.
    """
    _forget_old_tokens(session, user_id, now)
    session.scalars(select(User.id).where(User.id == user_id).with_for_update()).one()  # one at a time
    check_room(session, user_id)
    secret = make_secret()
    token = ProgramToken(
        id=new_id(),
        user_id=user_id,
        name=name,
        token_hash=hash_secret(secret),
        start=secret[:START_LENGTH],
        rights=rights,
        created=now,
        expires=expires,
    )
    session.add(token)
    session.flush()
    return NewToken(token, secret)


def list_tokens(session: Session, user_id: str) -> Sequence[ProgramToken]:
    """Return the tokens of a user that are not revoked, the newest first."""
    rows = select(ProgramToken).where(_kept(user_id))
    return session.scalars(rows.order_by(ProgramToken.created.desc(), ProgramToken.id)).all()


def list_all_tokens(session: Session) -> list[tuple[ProgramToken, str]]:
    """Return all tokens with their users' names, for an administrator; revoked ones too, as long as they are kept."""
    rows = select(ProgramToken, User.username).join(User, User.id == ProgramToken.user_id)
    ordered = rows.order_by(User.username, ProgramToken.created, ProgramToken.id)
    return [(token, username) for token, username in session.execute(ordered)]


def find_program(connection: Connection | Session, secret: str, now: datetime) -> FoundToken | None:
    """Return whose token this is, whether it may be used or not; None where no token is like this."""
    found = connection.execute(_BY_HASH, {"key": hash_secret(secret)}).one_or_none()
    if found is None:
        return None
    is_enabled, revoked, rights = found[:3]
    program = Program(*found[3:8], TokenRights(rights), *found[8:])
    return FoundToken(program, _end_of(revoked, is_enabled, program.expires, now))


_TOKENS, _USERS = ProgramToken.__table__.c, User.__table__.c
# Asked at every request: made once, of plain columns, which costs half of what the same costs through classes.
_BY_HASH = (
    select(
        _USERS.is_enabled,
        _TOKENS.revoked,
        _TOKENS.rights,
        _USERS.id,
        _USERS.username,
        _USERS.role,
        _TOKENS.id,
        _TOKENS.name,
        _TOKENS.created,
        _TOKENS.expires,
        _TOKENS.last_used,
    )
    .join_from(ProgramToken.__table__, User.__table__, _USERS.id == _TOKENS.user_id)
    .where(_TOKENS.token_hash == bindparam("key"))
)


def touch_if_due(database: Database, program: Program, now: datetime) -> None:
    """Note that the token is in use: at most once a minute, in a short transaction of its own."""
    if program.last_used is not None and timedelta(0) <= now - program.last_used < TOUCH_AFTER:
        return
    row = and_(ProgramToken.id == program.token_id, ProgramToken.revoked.is_(None))
    with database.writing() as session:
        session.execute(update(ProgramToken).where(row).values(last_used=now))


def revoke_token(
    session: Session, token_id: str, reason: TokenEnd, now: datetime, *, user_id: str | None = None
) -> ProgramToken:
    """End a token; with ``user_id`` only one of this user's. Again is as good as once.

    Raises
    ------
    TokenNotFound
        If there is none of this id.
    """
    row = select(ProgramToken).where(ProgramToken.id == token_id)
    if user_id is not None:
        row = row.where(ProgramToken.user_id == user_id)
    token = session.scalars(row.with_for_update()).one_or_none()
    if token is None:
        raise TokenNotFound("There is no token of this id.")
    if token.revoked is None:
        token.revoked, token.end_reason = now, reason
    return token


def revoke_all_tokens(session: Session, user_id: str, reason: TokenEnd, now: datetime) -> int:
    """End all tokens of a user; return how many."""
    ending = update(ProgramToken).where(_kept(user_id)).returning(ProgramToken.id)
    return len(session.execute(ending.values(revoked=now, end_reason=reason)).all())


def _kept(user_id: str) -> ColumnElement[bool]:
    return and_(ProgramToken.user_id == user_id, ProgramToken.revoked.is_(None))


def _end_of(revoked: datetime | None, is_enabled: bool, expires: datetime, now: datetime) -> TokenEnd | None:
    if revoked is not None:
        return TokenEnd.REVOKED
    if not is_enabled:
        return TokenEnd.DISABLED
    return TokenEnd.EXPIRED if now >= expires else None


def _forget_old_tokens(session: Session, user_id: str, now: datetime) -> None:
    before = now - MEMORY
    is_old = or_(ProgramToken.revoked < before, ProgramToken.expires < before)
    session.execute(delete(ProgramToken).where(ProgramToken.user_id == user_id, is_old))
