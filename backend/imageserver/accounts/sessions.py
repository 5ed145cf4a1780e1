"""Sessions: begun by a log-in, read at every request, ended at once or by time.

A session is over when it was ended, when its longest time has passed, when nothing was asked within the idle time,
or when its account is disabled. There is no cache, so an end counts at the next request in every worker.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, delete, exists, select, update
from sqlalchemy.orm import Session

from imageserver.accounts.callers import SignedInUser
from imageserver.accounts.models import EndReason, User, UserSession, new_id
from imageserver.database import Database

TOUCH_AFTER = timedelta(minutes=1)
KNOWN_NETWORK_MEMORY = timedelta(days=30)


@dataclass(frozen=True)
class SessionLimits:
    """How long a session lasts without a request, and at most."""

    idle: timedelta
    longest: timedelta


@dataclass(frozen=True)
class StartedSession:
    """A new session, and the secret that goes into its cookie (kept nowhere else)."""

    id: str
    cookie: str
    expires: datetime


@dataclass(frozen=True)
class NamedSession:
    """A session that a token or cookie names, whether it is over or not."""

    session_id: str
    user_id: str
    username: str
    is_ended: bool


def start_session(
    session: Session, user: User, network: str, limits: SessionLimits, now: datetime
) -> StartedSession:
    """Begin a session of a user who has just proved the password."""
    _forget_old_sessions(session, user.id, now)
    cookie, expires = secrets.token_urlsafe(32), now + limits.longest
    row = UserSession(
        id=new_id(),
        user_id=user.id,
        cookie_hash=_hash_cookie(cookie),
        client_network=network,
        started=now,
        last_seen=now,
        expires=expires,
    )
    session.add(row)
    return StartedSession(row.id, cookie, expires)


def find_by_id(
    connection: Connection | Session, session_id: str, limits: SessionLimits, now: datetime
) -> SignedInUser | None:
    """Return who is behind a session, unless it is over."""
    return _find(connection, _BY_ID, session_id, limits, now)


def find_by_cookie(
    session: Session, cookie: str, limits: SessionLimits, now: datetime
) -> SignedInUser | None:
    """Return who is behind a session cookie, unless the session is over."""
    return _find(session, _BY_COOKIE, _hash_cookie(cookie), limits, now)


def name_session(
    session: Session, *, session_id: str | None = None, cookie: str | None = None
) -> NamedSession | None:
    """Find a session in order to end it, by its id or by its cookie."""
    row = UserSession.id == session_id if cookie is None else UserSession.cookie_hash == _hash_cookie(cookie)
    columns = (UserSession.id, User.id, User.username, UserSession.ended)
    found = session.execute(
        select(*columns).join(User, User.id == UserSession.user_id).where(row)
    ).one_or_none()
    return None if found is None else NamedSession(found[0], found[1], found[2], found[3] is not None)


def is_going_on(session: Session, cookie: str) -> bool:
    """Tell whether the cookie's session was not ended."""
    named = name_session(session, cookie=cookie)
    return named is not None and not named.is_ended


def touch_if_due(database: Database, user: SignedInUser, now: datetime) -> None:
    """Note that the session is in use: at most once a minute, in a short transaction of its own."""
    if now - user.last_seen < TOUCH_AFTER:
        return
    row = and_(UserSession.id == user.session_id, UserSession.ended.is_(None), UserSession.last_seen < now)
    with database.writing() as session:
        session.execute(update(UserSession).where(row).values(last_seen=now))


def replace_cookie(session: Session, session_id: str) -> str:
    """Give a session another cookie secret, and return it; the one before opens nothing any more."""
    cookie = secrets.token_urlsafe(32)
    row = update(UserSession).where(UserSession.id == session_id)
    session.execute(row.values(cookie_hash=_hash_cookie(cookie)))
    return cookie


def end_session(session: Session, session_id: str, user_id: str, reason: EndReason, now: datetime) -> bool:
    """End one session of a user; False when it was over already."""
    row = and_(UserSession.id == session_id, UserSession.user_id == user_id)
    return _end(session, row, reason, now) > 0


def end_all_sessions(
    session: Session, user_id: str, reason: EndReason, now: datetime, *, keep: str | None = None
) -> int:
    """End all sessions of a user, but for one that is kept; return how many."""
    rows = and_(UserSession.user_id == user_id, UserSession.id != (keep or ""))
    return _end(session, rows, reason, now)


def is_known_network(session: Session, user_id: str, network: str, now: datetime) -> bool:
    """Tell whether the user logged in from this client network lately."""
    rows = and_(
        UserSession.user_id == user_id,
        UserSession.client_network == network,
        UserSession.started > now - KNOWN_NETWORK_MEMORY,
    )
    return bool(session.scalar(select(exists().where(rows))))


def _end(session: Session, rows: ColumnElement[bool], reason: EndReason, now: datetime) -> int:
    ending = update(UserSession).where(rows, UserSession.ended.is_(None)).returning(UserSession.id)
    return len(session.execute(ending.values(ended=now, end_reason=reason)).all())


def _find(
    connection: Connection | Session,
    statement: Select[*tuple[Any, ...]],
    key: str,
    limits: SessionLimits,
    now: datetime,
) -> SignedInUser | None:
    found = connection.execute(statement, {"key": key}).one_or_none()
    if found is None:
        return None
    is_enabled, ended = found[0], found[1]
    user = SignedInUser(*found[2:])
    is_over = ended is not None or now >= user.expires or now >= user.last_seen + limits.idle
    return None if is_over or not is_enabled else user


_USERS, _SESSIONS = User.__table__.c, UserSession.__table__.c
# Asked at every request: made once, of plain columns, which costs half of what the same costs through classes.
_SIGNED_IN = select(
    _USERS.is_enabled,
    _SESSIONS.ended,
    _USERS.id,
    _USERS.username,
    _USERS.role,
    _SESSIONS.id,
    _SESSIONS.started,
    _SESSIONS.last_seen,
    _SESSIONS.expires,
).join_from(User.__table__, UserSession.__table__, _USERS.id == _SESSIONS.user_id)
_BY_ID = _SIGNED_IN.where(_SESSIONS.id == bindparam("key"))
_BY_COOKIE = _SIGNED_IN.where(_SESSIONS.cookie_hash == bindparam("key"))


def _forget_old_sessions(session: Session, user_id: str, now: datetime) -> None:
    old = and_(UserSession.user_id == user_id, UserSession.started < now - KNOWN_NETWORK_MEMORY)
    session.execute(delete(UserSession).where(old, UserSession.expires < now))


def _hash_cookie(cookie: str) -> str:
    # 256 random bits need no slow hash.
    return hashlib.sha256(cookie.encode(errors="replace")).hexdigest()
