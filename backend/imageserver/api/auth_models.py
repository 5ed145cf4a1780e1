"""What ``/auth/…`` receives and answers."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from imageserver.accounts.models import Role, TokenRights
from imageserver.accounts.passwords import LONGEST_BYTES

NOT_BLANK = r"\S"

Username = Annotated[str, Field(min_length=1, max_length=256, pattern=NOT_BLANK)]
Password = Annotated[
    str,
    Field(
        min_length=1, max_length=LONGEST_BYTES, pattern=NOT_BLANK, json_schema_extra={"format": "password"}
    ),
]


class LoginForm(BaseModel):
    """The form of the OAuth 2 password grant (RFC 6749, section 4.3.2)."""

    username: Username
    password: Password
    grant_type: Literal["password"] = "password"


class AccessToken(BaseModel):
    """A token for the ``Authorization`` header; ``expires_in`` is in seconds."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of the scheme
    expires_in: int


class RefreshedToken(AccessToken):
    """The same, and whose it is: a tab whose user changed must wipe itself."""

    username: str
    session_id: str


class Account(BaseModel):
    """An account."""

    username: str
    role: Role


class SessionTimes(BaseModel):
    """The session: begun when, over when at the latest, and after how much rest."""

    id: str
    started: AwareDatetime
    expires: AwareDatetime
    idle_seconds: int = Field(description="The session ends after so many seconds without a request.")


class TokenTimes(BaseModel):
    """The token of a program: its name, what it may do, made when, over when."""

    id: str
    name: str
    rights: TokenRights
    created: AwareDatetime
    expires: AwareDatetime


class Me(Account):
    """Who is logged in, by a session; or whose token a program has."""

    session: SessionTimes | None
    token: TokenTimes | None


class Status(BaseModel):
    """What the pages need to know before anybody is logged in."""

    setup_required: bool = Field(description="The first account still has to be made.")
    min_password_length: int = Field(description="Characters that a new password has at least.")


class PasswordChange(BaseModel):
    """The old and the new password."""

    model_config = ConfigDict(extra="forbid")

    current_password: Password
    new_password: Password


class FirstAccount(BaseModel):
    """The code from the server's log, and the account to make with it."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(min_length=1, max_length=128)]
    username: Username
    password: Password
