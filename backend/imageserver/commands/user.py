"""``imageserver user …``: accounts. A password is asked for or read from a file; it is never an argument."""

import argparse
import getpass
import json
import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

from imageserver.accounts import users
from imageserver.accounts.models import EndReason, Role, User
from imageserver.accounts.password_rule import check_new_password
from imageserver.accounts.passwords import PasswordHasher, prepare_password
from imageserver.accounts.usernames import check_username
from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import COMMAND_LINE, Actor, record_event
from imageserver.clock import utc_now
from imageserver.commands.opening import open_database
from imageserver.errors import InvalidParameter, NotFound, WeakPassword
from imageserver.settings import Settings
from imageserver.startup import StartRefused, read_secret

Run = Callable[[Settings, argparse.Namespace], int]


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the commands."""
    user = commands.add_parser("user", help="add, disable, enable, reset and list accounts")
    actions = user.add_subparsers(required=True, metavar="ACTION")
    add = _add_action(actions, "add", run_add, "add an account; the first one is an administrator")
    add.add_argument("--role", choices=[role.value for role in Role], default=Role.READER.value)
    reset = _add_action(actions, "reset", run_reset, "set a new password and end all sessions of the account")
    for parser in (add, reset):
        parser.add_argument(
            "--password-file", type=Path, metavar="FILE", help="read the password from FILE instead of asking"
        )
    _add_action(actions, "disable", run_disable, "let the account in no more, and end all its sessions")
    _add_action(actions, "enable", run_enable, "let the account in again")
    listing = actions.add_parser("list", help="list all accounts")
    listing.add_argument("--json", action="store_true", help="one JSON object per line")
    listing.set_defaults(run=run_list)


def run_add(settings: Settings, arguments: argparse.Namespace) -> int:
    """Add an account."""
    username = check_username(arguments.username)
    with open_database(settings) as database:
        with database.reading() as session:
            if users.find_user(session, username) is not None:
                raise InvalidParameter(f"The user name {username} is taken.")
        password_hash = _new_password_hash(settings, arguments, username)
        with database.writing() as session:
            role = Role(arguments.role)
            user = users.create_user(session, username, password_hash, role, utc_now())
            _record(session, Kind.USER_ADDED, user)
    print(f"Added {user.username} ({user.role}).")
    return 0


def run_reset(settings: Settings, arguments: argparse.Namespace) -> int:
    """Set a new password."""
    with open_database(settings) as database:
        with database.reading() as session:
            username = _get_user(session, arguments.username).username
        password_hash = _new_password_hash(settings, arguments, username)
        with database.writing() as session:
            user = _get_user(session, username)
            users.change_password(session, user, password_hash, EndReason.PASSWORD_RESET, utc_now())
            _record(session, Kind.PASSWORD_RESET, user)
    print(f"Set a new password for {username}; all its sessions have ended.")
    return 0


def run_disable(settings: Settings, arguments: argparse.Namespace) -> int:
    """Disable an account."""
    return _set_enabled(settings, arguments.username, False, "Disabled {}; all its sessions have ended.")


def run_enable(settings: Settings, arguments: argparse.Namespace) -> int:
    """Enable an account."""
    return _set_enabled(settings, arguments.username, True, "Enabled {}.")


def run_list(settings: Settings, arguments: argparse.Namespace) -> int:
    """List all accounts."""
    with open_database(settings) as database, database.reading() as session:
        rows = [_describe(user) for user in users.list_users(session)]
    if arguments.json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return 0
    width = max([len(row["username"]) for row in rows], default=0)
    for row in rows:
        print(f"{row['username']:<{width}}  {row['role']:<6}  {row['state']:<8}  created {row['created']}")
    if not rows:
        print("There are no accounts.", file=sys.stderr)
    return 0


def _add_action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Run, text: str
) -> argparse.ArgumentParser:
    # Without abbreviations: `--password x` must not be taken for the name of a file, and be printed.
    parser = actions.add_parser(name, help=text, description=text, allow_abbrev=False)
    parser.add_argument("username")
    parser.set_defaults(run=run)
    return parser


def _set_enabled(settings: Settings, username: str, is_enabled: bool, message: str) -> int:
    with open_database(settings) as database, database.writing() as session:
        user = _get_user(session, username)
        users.set_enabled(session, user, is_enabled, utc_now())
        _record(session, Kind.USER_ENABLED if is_enabled else Kind.USER_DISABLED, user)
    print(message.format(user.username))
    return 0


def _new_password_hash(settings: Settings, arguments: argparse.Namespace, username: str) -> str:
    file = arguments.password_file
    text = _read_password(file) if file else _ask_for_password()
    password = prepare_password(text)
    check_new_password(password, shortest=settings.min_password_length, context_words=[username])
    return PasswordHasher().hash(password)


def _read_password(file: Path) -> str:
    try:
        return read_secret(file, "--password-file")
    except StartRefused as error:
        raise InvalidParameter(str(error)) from None


def _ask_for_password() -> str:
    if not sys.stdin.isatty():
        raise InvalidParameter("There is no terminal to ask for the password: give --password-file.")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise WeakPassword("The two passwords differ.")
    return password


def _get_user(session: Session, username: str) -> User:
    user = users.find_user(session, username)
    if user is None:
        raise NotFound("There is no account of this name; `imageserver user list` shows all.")
    return user


def _record(session: Session, kind: Kind, user: User) -> None:
    actor = Actor(username=COMMAND_LINE)
    record_event(session, actor, kind, Outcome.SUCCESS, utc_now(), subject_username=user.username)


def _describe(user: User) -> dict[str, str]:
    return {
        "username": user.username,
        "role": user.role,
        "state": "enabled" if user.is_enabled else "disabled",
        "created": user.created.isoformat(timespec="seconds"),
    }
