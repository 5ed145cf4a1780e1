"""The first account: made once, by a one-time code that ``serve`` prints, by settings, or by the command line."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from imageserver.accounts.models import Role, SetupCode, User
from imageserver.accounts.users import count_users, create_user, lock_users
from imageserver.errors import InvalidCredentials, SetupDone

CODE_LASTS = timedelta(hours=24)
ONLY_ROW = 1


def is_setup_required(session: Session) -> bool:
    """Tell whether no account exists yet."""
    return count_users(session) == 0


def make_setup_code(session: Session, now: datetime) -> str | None:
    """Make the code that may create the first account; codes made before are worth nothing any more.

    Returns
    -------
    str or None
        The code, of which only a hash is kept; None where an account exists.
    """
    lock_users(session)
    session.execute(delete(SetupCode))
    if not is_setup_required(session):
        return None
    code = secrets.token_urlsafe(32)
    session.add(SetupCode(id=ONLY_ROW, code_hash=_hash(code), created=now, expires=now + CODE_LASTS))
    return code


def check_setup_code(session: Session, code: str, now: datetime) -> None:
    """Accept a code, or say why not.

    Raises
    ------
    SetupDone
        If an account exists.
    InvalidCredentials
        If the code is not the present one, or is over.
    """
    if not is_setup_required(session):
        raise SetupDone("The first account exists already; log in, or ask its owner.")
    row = session.get(SetupCode, ONLY_ROW)
    if row is None or not hmac.compare_digest(row.code_hash, _hash(code)) or now >= row.expires:
        raise InvalidCredentials(
            "The set-up code is wrong or has expired. The server's log shows a new one after each start."
        )


def create_first_user(session: Session, code: str, username: str, password_hash: str, now: datetime) -> User:
    """Use the code up and create the administrator; of several at once, one succeeds.

    Raises
    ------
    SetupDone, InvalidCredentials
        As ``check_setup_code``, which is repeated here while nobody else can create an account.
    """
    lock_users(session)
    check_setup_code(session, code, now)
    session.execute(delete(SetupCode))
    return create_user(session, username, password_hash, Role.ADMIN, now)


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode(errors="replace")).hexdigest()
