"""What has to happen once per start before requests can be answered: migrate, first account, set-up link.

``serve`` does it beside the running API: while the database is away the API answers ``/healthz``, and 503 elsewhere.
It is done by the process that supervises the workers, so the set-up link is printed once.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from imageserver.accounts import setup, users
from imageserver.accounts.models import Role
from imageserver.accounts.password_rule import check_new_password
from imageserver.accounts.passwords import PasswordHasher, prepare_password
from imageserver.accounts.usernames import check_username
from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import Actor, record_event
from imageserver.clock import Clock, utc_now
from imageserver.database import Database
from imageserver.database_errors import describe_database_error
from imageserver.errors import AppError, Invalid
from imageserver.migrations import NewerSchema, migrate
from imageserver.settings import Settings

RETRY_SECONDS = 1.0
SETTINGS_ACTOR = Actor(username="(settings)")

logger = logging.getLogger(__name__)
setup_logger = logging.getLogger("imageserver.setup")
setup_logger.setLevel(logging.WARNING)  # without the link nobody gets in: printed at every log level


class StartRefused(RuntimeError):
    """The server must not start with these settings; the message names the setting, never its secret value."""


def make_state_dir(settings: Settings) -> None:
    """Make the folder for what the server keeps, where it does not exist.

    Raises
    ------
    StartRefused
        If it cannot be made.
    """
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StartRefused(f"IMAGESERVER_STATE_DIR: cannot be made ({error.strerror})") from None


def prepare(
    settings: Settings, database: Database, hasher: PasswordHasher | None = None, clock: Clock = utc_now
) -> None:
    """Migrate, create the account of the settings, print the set-up link where no account exists.

    Raises
    ------
    DatabaseUnavailable, StorageFull
        If the database does not answer, or is full; worth another try.
    NewerSchema, StartRefused
        If no other try would help.
    """
    migrate(database)
    if settings.admin_username:
        _ensure_admin(settings, database, hasher or PasswordHasher(), clock())
    with database.reading() as session:
        is_required = setup.is_setup_required(session)
    if is_required:
        with database.writing() as session:
            code = setup.make_setup_code(session, clock())
        if code is not None:
            setup_logger.warning(
                "No account exists yet. Make the first one within 24 hours at "
                f"{settings.effective_web_url}/setup#code={code}"
            )


def prepare_until_done(
    settings: Settings, database: Database, stopping: threading.Event, refuse: Callable[[str], None]
) -> None:
    """Call ``prepare`` until the database answers, or the server stops; hand a refusal to ``refuse``."""
    while not stopping.is_set():
        try:
            prepare(settings, database)
        except (NewerSchema, StartRefused) as error:
            refuse(str(error))
        except (AppError, SQLAlchemyError) as error:
            cause = describe_database_error(error.__cause__ or error)
            if database.is_sqlite and "locked" not in cause:  # a file does not come back as a server does
                refuse(f"IMAGESERVER_STATE_DIR: the SQLite database cannot be used: {cause}")
                return
            logger.warning("waiting for the database", extra={"cause": cause})
            stopping.wait(RETRY_SECONDS)
            continue
        except Exception as error:  # without an end, the server would answer 503 for ever
            logger.exception("preparing failed")
            refuse(f"preparing failed with {type(error).__name__}; the log has the details")
        return


def _ensure_admin(settings: Settings, database: Database, hasher: PasswordHasher, now: datetime) -> None:
    with database.reading() as session:
        if users.find_user(session, settings.admin_username) is not None:
            return  # whatever its password is by now: it is never reset
    try:
        username = check_username(settings.admin_username)
    except Invalid as error:
        raise StartRefused(f"IMAGESERVER_ADMIN_USERNAME: {error.detail}") from None
    try:
        password = prepare_password(_admin_password(settings))
        check_new_password(password, shortest=settings.min_password_length, context_words=[username])
    except Invalid as error:
        raise StartRefused(f"IMAGESERVER_ADMIN_PASSWORD: {error.detail}") from None
    password_hash = hasher.hash(password)
    with database.writing() as session:
        users.lock_users(session)
        if users.find_user(session, username) is None:  # another server on this database may have been first
            users.create_user(session, username, password_hash, Role.ADMIN, now)
            kind, outcome = Kind.USER_ADDED, Outcome.SUCCESS
            record_event(session, SETTINGS_ACTOR, kind, outcome, now, subject_username=username)


def _admin_password(settings: Settings) -> str:
    if settings.admin_password_file is None:
        return settings.admin_password.get_secret_value()
    return read_secret(settings.admin_password_file, "IMAGESERVER_ADMIN_PASSWORD_FILE")


def read_secret(path: Path, name: str) -> str:
    """Read a file that holds one secret; a newline at its end does not count.

    Raises
    ------
    StartRefused
        If the file cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise StartRefused(f"{name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise StartRefused(f"{name}: is not UTF-8 text") from None
