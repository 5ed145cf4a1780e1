"""``imageserver audit``: the audit records, as lines for people or for programs. Reading them is recorded too."""

import argparse
import json
from datetime import UTC, datetime
from typing import Any

from imageserver.accounts.usernames import normalise_username
from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import COMMAND_LINE, Actor, record_event
from imageserver.audit.report import Filter, find_events
from imageserver.clock import utc_now
from imageserver.commands.opening import open_database
from imageserver.settings import Settings

PLAIN = (
    "subject_username",
    "token_id",
    "token_name",
    "study_instance_uid",
    "series_instance_uid",
    "sop_instance_uid",
    "reason",
    "client_address",
    "request_id",
)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser("audit", help="list who saw what, and who changed what")
    parser.add_argument("--user", help="records by or about this account")
    parser.add_argument("--kind", choices=[kind.value for kind in Kind])
    parser.add_argument("--outcome", choices=[outcome.value for outcome in Outcome])
    parser.add_argument("--study", metavar="UID", help="Study Instance UID")
    parser.add_argument("--series", metavar="UID", help="Series Instance UID")
    parser.add_argument(
        "--since", type=parse_time, metavar="TIME", help="ISO 8601; UTC unless a zone is given"
    )
    parser.add_argument("--until", type=parse_time, metavar="TIME", help="ISO 8601; not included")
    parser.add_argument(
        "--limit", type=parse_limit, default=1000, help="the newest so many (default 1000; 0: all)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.set_defaults(run=run_audit)


def run_audit(settings: Settings, arguments: argparse.Namespace) -> int:
    """List the records that the arguments ask for."""
    wanted = Filter(
        username=normalise_username(arguments.user) if arguments.user else None,
        kind=arguments.kind,
        outcome=arguments.outcome,
        study_instance_uid=arguments.study,
        series_instance_uid=arguments.series,
        since=arguments.since,
        until=arguments.until,
        limit=arguments.limit or None,
    )
    with open_database(settings) as database:
        with database.writing() as session:
            actor = Actor(username=COMMAND_LINE)
            record_event(session, actor, Kind.AUDIT_READ, Outcome.SUCCESS, utc_now())
        with database.reading() as session:
            events = list(find_events(session, wanted))
    for event in events:
        print(_json(event) if arguments.json else _line(event))
    return 0


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 date or time; without a zone it is UTC."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def parse_limit(text: str) -> int:
    """Read a count from 0."""
    limit = int(text)
    if limit < 0:
        raise ValueError
    return limit


def _json(event: dict[str, Any]) -> str:
    return json.dumps({**event, "time": event["time"].isoformat()}, ensure_ascii=False)


def _line(event: dict[str, Any]) -> str:
    details = " ".join(f"{name}={event[name]}" for name in PLAIN if event[name])
    time = event["time"].strftime("%Y-%m-%d %H:%M:%S")
    return f"{time}Z  {event['username']}  {event['kind']}  {event['outcome']}  {details}".rstrip()
