"""Who asks: a person who is signed in, or a program with a token of a person's."""

from dataclasses import dataclass
from datetime import datetime

from imageserver.accounts.models import TokenRights


@dataclass(frozen=True)
class Caller:
    """The account on whose behalf a request comes, as it is in the database now."""

    user_id: str
    username: str
    role: str


@dataclass(frozen=True)
class SignedInUser(Caller):
    """A person, by a session."""

    session_id: str
    started: datetime
    last_seen: datetime
    expires: datetime


@dataclass(frozen=True)
class Program(Caller):
    """A program, by a token."""

    token_id: str
    token_name: str
    rights: TokenRights
    created: datetime
    expires: datetime
    last_used: datetime | None
