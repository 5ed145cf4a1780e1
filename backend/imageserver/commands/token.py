"""``imageserver token …``: the tokens that users gave to programs. Only users make them; an administrator revokes."""

import argparse
import json
import sys
from datetime import datetime

from imageserver.accounts import program_tokens, users
from imageserver.accounts.models import ProgramToken, TokenEnd
from imageserver.accounts.usernames import normalise_username
from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import COMMAND_LINE, Actor, record_event
from imageserver.clock import utc_now
from imageserver.commands.opening import open_database
from imageserver.errors import NotFound
from imageserver.settings import Settings


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the commands."""
    token = commands.add_parser("token", help="list and revoke the tokens that users gave to programs")
    actions = token.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list the tokens of all accounts, without their secrets")
    listing.add_argument("--user", help="only those of this account")
    listing.add_argument("--json", action="store_true", help="one JSON object per line")
    listing.set_defaults(run=run_list)
    revoke = actions.add_parser("revoke", help="let a token open nothing any more")
    revoke.add_argument(
        "id", help="the identifier that `imageserver token list` shows; never the token itself"
    )
    revoke.set_defaults(run=run_revoke)


def run_list(settings: Settings, arguments: argparse.Namespace) -> int:
    """List tokens."""
    now = utc_now()
    with open_database(settings) as database, database.reading() as session:
        if arguments.user is not None and users.find_user(session, arguments.user) is None:
            raise NotFound("There is no account of this name; `imageserver user list` shows all.")
        wanted = normalise_username(arguments.user) if arguments.user is not None else None
        rows = [
            _describe(token, username, now)
            for token, username in program_tokens.list_all_tokens(session)
            if wanted in {None, username}
        ]
    if arguments.json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return 0
    for row in rows:
        used = row["last_used"] or "never"
        print(
            f"{row['id']}  {row['username']}  {row['rights']:<10}  {row['state']:<8}  expires {row['expires']}"
            f"  last used {used}  {row['start']}…  {row['name']}"
        )
    if not rows:
        print("There are no tokens.", file=sys.stderr)
    return 0


def run_revoke(settings: Settings, arguments: argparse.Namespace) -> int:
    """Revoke one token."""
    now = utc_now()
    with open_database(settings) as database, database.writing() as session:
        token = program_tokens.revoke_token(session, arguments.id, TokenEnd.REVOKED_BY_ADMIN, now)
        owner = users.get_user(session, token.user_id).username
        if token.revoked == now:
            actor = Actor(username=COMMAND_LINE, token_id=token.id, token_name=token.name)
            record_event(session, actor, Kind.TOKEN_REVOKED, Outcome.SUCCESS, now, subject_username=owner)
        name = token.name
    print(f"Revoked the token “{name}” of {owner}.")
    return 0


def _describe(token: ProgramToken, username: str, now: datetime) -> dict[str, str | None]:
    return {
        "id": token.id,
        "username": username,
        "name": token.name,
        "start": token.start,
        "rights": token.rights,
        "state": "revoked" if token.revoked else "expired" if now >= token.expires else "valid",
        "created": _time(token.created),
        "expires": _time(token.expires),
        "last_used": _time(token.last_used),
        "revoked": _time(token.revoked),
        "end_reason": token.end_reason,
    }


def _time(time: datetime | None) -> str | None:
    return time.isoformat(timespec="seconds") if time else None
