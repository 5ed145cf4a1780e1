"""Tables of the accounts: users, their sessions and tokens, counters of failed log-ins, the set-up code."""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from imageserver.database import Base, UtcDateTime

ID_LENGTH = 32


def new_id() -> str:
    """Return a random identifier of 32 hexadecimal digits."""
    return uuid.uuid4().hex


class Role(StrEnum):
    """What an account is for; both see all patients."""

    ADMIN = "admin"
    READER = "reader"


class EndReason(StrEnum):
    """Why a session was ended before its time."""

    LOGOUT = "logout"
    LOGOUT_EVERYWHERE = "logout_everywhere"
    REPLACED = "replaced"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason, not a password
    PASSWORD_RESET = "password_reset"  # noqa: S105
    DISABLED = "disabled"


class TokenRights(StrEnum):
    """What a program may do with a token: only read, or all that its user may."""

    READ = "read"
    READ_WRITE = "read_write"


class TokenEnd(StrEnum):
    """Why a token for a program may not be used."""

    REVOKED = "revoked"
    REVOKED_BY_ADMIN = "revoked_by_admin"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a reason, not a password
    DISABLED = "disabled"
    EXPIRED = "expired"


class User(Base):
    """An account. ``username`` is normalised (see ``usernames``); the password is only here as its hash."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=new_id)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str] = mapped_column(String(255))
    is_enabled: Mapped[bool] = mapped_column(default=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    password_changed: Mapped[datetime] = mapped_column(UtcDateTime)


class UserSession(Base):
    """One log-in of one browser or program; the cookie that stands for it is only here as its hash."""

    __tablename__ = "user_sessions"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    cookie_hash: Mapped[str] = mapped_column(String(64), unique=True)
    client_network: Mapped[str] = mapped_column(String(64))
    started: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen: Mapped[datetime] = mapped_column(UtcDateTime)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)
    ended: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(32))


class ProgramToken(Base):
    """A token for a program. Its secret is only here as its hash; ``start`` lets a person tell tokens apart."""

    __tablename__ = "program_tokens"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    start: Mapped[str] = mapped_column(String(8))
    rights: Mapped[str] = mapped_column(String(16))
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(32))


class ThrottleCounter(Base):
    """Failures in a row of one account or one client network (see ``throttling``)."""

    __tablename__ = "throttle_counters"

    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    failures: Mapped[int]
    last_failure: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    blocked_until: Mapped[datetime] = mapped_column(UtcDateTime)


class SetupCode(Base):
    """The one code that may create the first account; only its hash is here. Its id is always 1."""

    __tablename__ = "setup_codes"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code_hash: Mapped[str] = mapped_column(String(64))
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)
