"""What ``/auth/tokens`` receives and answers."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from imageserver.accounts.models import ProgramToken, TokenRights
from imageserver.accounts.program_tokens import LONGEST_NAME
from imageserver.api.auth_models import NOT_BLANK, Password

TokenId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


class TokenToMake(BaseModel):
    """A name by which the user knows the program, what it may do, until when; and the user's password."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=NOT_BLANK)]
    rights: TokenRights
    expires: AwareDatetime = Field(description="In the future, at most 366 days from now.")
    current_password: Password


class TokenFacts(BaseModel):
    """A token, without its secret."""

    id: str
    name: str
    start: str = Field(description="How the secret begins.")
    rights: TokenRights
    created: AwareDatetime
    expires: AwareDatetime
    last_used: AwareDatetime | None = Field(description="To the minute; null: never.")
    is_expired: bool


class TokenList(BaseModel):
    """The tokens of a user that are not revoked."""

    tokens: list[TokenFacts]


class MadeToken(TokenFacts):
    """The new token with its secret, which cannot be read again."""

    secret: str


def describe_token(token: ProgramToken, now: datetime) -> TokenFacts:
    """Say what is known of a token."""
    return TokenFacts(
        id=token.id,
        name=token.name,
        start=token.start,
        rights=TokenRights(token.rights),
        created=token.created,
        expires=token.expires,
        last_used=token.last_used,
        is_expired=now >= token.expires,
    )
