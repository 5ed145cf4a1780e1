"""Proving who one is: one path for every outcome, with exactly one password hash verified on it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from imageserver.accounts import throttling
from imageserver.accounts.models import User
from imageserver.accounts.passwords import PasswordHasher, prepare_password
from imageserver.accounts.sessions import SessionLimits, StartedSession, is_known_network, start_session
from imageserver.accounts.usernames import normalise_username
from imageserver.accounts.users import find_user
from imageserver.database import Database


class Reason(StrEnum):
    """Why a try succeeded or failed; for the audit record, never for the client."""

    RIGHT = "right"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a reason, not a password
    UNKNOWN_USER = "unknown_user"
    DISABLED = "disabled"
    THROTTLED = "throttled"


@dataclass(frozen=True)
class Verdict:
    """What a try came to.

    ``user_id`` and ``username`` belong to the account that was named, None where there is none. ``counters`` are
    those under which the try was counted. ``password_hash`` is what was verified, ``new_hash`` its replacement where
    the cost of hashing was changed since.
    """

    reason: Reason
    user_id: str | None
    username: str | None
    network: str
    counters: tuple[str, ...]
    wait_seconds: int = 0
    password_hash: str = ""
    new_hash: str | None = None


def check_password(
    database: Database, hasher: PasswordHasher, username: str, password: str, network: str, now: datetime
) -> Verdict:
    """Compare user name and password with the accounts; counts the try against account and network.

    Raises
    ------
    InvalidParameter
        If the password is too long to be hashed.
    Busy
        If too many passwords are being hashed.
    """
    prepared = prepare_password(password)
    with hasher.slot():  # before counting: no more tries are under way than there are slots
        with database.writing() as session:
            user = find_user(session, username)
            counters = _counters_of(session, user, username, network, now)
            wait = throttling.count_attempt(session, counters, now)
        stored = user.password_hash if user is not None and user.is_enabled and wait is None else None
        matches = hasher.verify(prepared, stored)
        new_hash = hasher.hash(prepared) if matches and stored and hasher.needs_update(stored) else None
    return Verdict(
        reason=_reason(user, wait, matches),
        user_id=user.id if user else None,
        username=user.username if user else None,
        network=network,
        counters=counters,
        wait_seconds=wait or 0,
        password_hash=stored or "",
        new_hash=new_hash,
    )


def confirm(session: Session, verdict: Verdict) -> User | None:
    """Take the counted try back, and return the account, if it is still as it was when the password was verified."""
    if verdict.reason is not Reason.RIGHT:
        return None
    user = session.scalars(select(User).where(User.id == verdict.user_id).with_for_update()).one_or_none()
    if user is None or not user.is_enabled or user.password_hash != verdict.password_hash:
        return None
    throttling.forgive(session, *verdict.counters)
    if verdict.new_hash is not None:
        user.password_hash = verdict.new_hash
    return user


def log_in(session: Session, verdict: Verdict, limits: SessionLimits, now: datetime) -> StartedSession | None:
    """Begin a session for a try that was right; None otherwise."""
    user = confirm(session, verdict)
    if user is None:
        return None
    throttling.forget_rested(session, now)
    return start_session(session, user, verdict.network, limits, now)


def _counters_of(
    session: Session, user: User | None, username: str, network: str, now: datetime
) -> tuple[str, ...]:
    """Name the counters of a try: that of the account, then that of the network unless it is a usual place."""
    is_known = user is not None and is_known_network(session, user.id, network, now)
    account = throttling.account_key(
        user.id if user else None, normalise_username(username), network, is_known_network=is_known
    )
    return (account,) if is_known else (account, throttling.network_key(network))


def _reason(user: User | None, wait: int | None, matches: bool) -> Reason:
    if wait is not None:
        return Reason.THROTTLED
    if user is None:
        return Reason.UNKNOWN_USER
    if not user.is_enabled:
        return Reason.DISABLED
    return Reason.RIGHT if matches else Reason.WRONG_PASSWORD
