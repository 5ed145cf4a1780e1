"""Passwords that people choose: checked by the rule, hashed by the hasher of the application."""

from fastapi import Request

from imageserver.accounts.password_rule import check_new_password
from imageserver.accounts.passwords import PasswordHasher, prepare_password
from imageserver.settings import Settings


def get_hasher(request: Request) -> PasswordHasher:
    """Return what hashes passwords."""
    hasher: PasswordHasher = request.app.state.password_hasher
    return hasher


def check_choice(settings: Settings, request: Request, username: str, password: str) -> str:
    """Return a new password as it is hashed; raises `WeakPassword` where it breaks the rule."""
    prepared = prepare_password(password)
    context = (username, request.url.hostname or "")
    check_new_password(prepared, shortest=settings.min_password_length, context_words=context)
    return prepared
