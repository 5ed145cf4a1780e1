"""Accounts: creating, finding, disabling; every function works in the caller's transaction."""

from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from imageserver.accounts import throttling
from imageserver.accounts.models import EndReason, Role, TokenEnd, User
from imageserver.accounts.program_tokens import revoke_all_tokens
from imageserver.accounts.sessions import end_all_sessions
from imageserver.accounts.usernames import is_allowed, normalise_username
from imageserver.errors import InvalidParameter


def find_user(session: Session, username: str) -> User | None:
    """Return the account of this name, however it is written."""
    name = normalise_username(username)
    if not is_allowed(name):
        return None  # no account has such a name; PostgreSQL would not even take all of them
    return session.scalars(select(User).where(User.username == name)).one_or_none()


def get_user(session: Session, user_id: str) -> User:
    """Return the account of this id, which there must be."""
    return session.scalars(select(User).where(User.id == user_id)).one()


def list_users(session: Session) -> list[User]:
    """Return all accounts by name."""
    return list(session.scalars(select(User).order_by(User.username)))


def count_users(session: Session) -> int:
    """Return how many accounts exist, disabled ones included."""
    return session.scalar(select(func.count()).select_from(User)) or 0


def lock_users(session: Session) -> None:
    """Let one transaction at a time create accounts, so that exactly one of them is the first."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite's writers are alone anyway
        session.execute(text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"))


def create_user(session: Session, username: str, password_hash: str, role: Role, now: datetime) -> User:
    """Add an account under a name that ``check_username`` returned; the first one of all is an administrator.

    Raises
    ------
    InvalidParameter
        If the name is taken.
    """
    lock_users(session)
    if find_user(session, username) is not None:
        raise InvalidParameter(f"The user name {username} is taken.")
    user = User(
        username=username,
        role=role if count_users(session) else Role.ADMIN,
        password_hash=password_hash,
        is_enabled=True,
        created=now,
        password_changed=now,
    )
    session.add(user)
    session.flush()
    return user


def change_password(
    session: Session,
    user: User,
    password_hash: str,
    reason: EndReason,
    now: datetime,
    *,
    keep: str | None = None,
) -> None:
    """Store a new password and end the user's sessions, but for one that is kept.

    Programs go on with their tokens, unless somebody else had to set the password.
    """
    user.password_hash = password_hash
    user.password_changed = now
    end_all_sessions(session, user.id, reason, now, keep=keep)
    if reason is EndReason.PASSWORD_RESET:
        revoke_all_tokens(session, user.id, TokenEnd.PASSWORD_RESET, now)
    throttling.forget_account(session, user.id)


def set_enabled(session: Session, user: User, is_enabled: bool, now: datetime) -> None:
    """Disable an account, which ends its sessions and tokens at once, or enable it again."""
    user.is_enabled = is_enabled
    if not is_enabled:
        end_all_sessions(session, user.id, EndReason.DISABLED, now)
        revoke_all_tokens(session, user.id, TokenEnd.DISABLED, now)
