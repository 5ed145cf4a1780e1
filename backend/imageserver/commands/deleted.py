"""``imageserver deleted``: list, restore or purge what administrators deleted. Each is recorded in the audit."""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from imageserver.archive.deletions import DeletedInstance, Wanted, find_deleted
from imageserver.archive.files import DataDirectory
from imageserver.archive.managed_store import Store
from imageserver.archive.trash import NotRestored, RecordDeleted
from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import COMMAND_LINE, Actor, InstanceRecord, record_instances
from imageserver.clock import utc_now
from imageserver.commands.opening import open_database
from imageserver.database import Database
from imageserver.settings import Settings


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser("deleted", help="list, restore or purge deleted instances")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, run, text in (
        ("list", run_list, "list what can be restored"),
        ("restore", run_restore, "show deleted instances again"),
        ("purge", run_purge, "remove deleted files for good, before their time"),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("--study", metavar="UID", help="only of this Study Instance UID")
        verb.add_argument("--series", metavar="UID", help="only of this Series Instance UID")
        verb.add_argument("--instance", metavar="UID", help="only this SOP Instance UID")
        if name == "list":
            verb.add_argument("--json", action="store_true", help="one JSON object per line")
        else:
            verb.add_argument("--all", action="store_true", help="everything that was deleted")
        verb.set_defaults(run=run)


def run_list(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print what was deleted, the oldest first."""
    with open_database(settings) as database:
        for deleted in _find(database, arguments):
            values = _as_dict(deleted, settings.deleted_days)
            print(json.dumps(values) if arguments.json else "\t".join(map(str, values.values())))
    return 0


def run_restore(settings: Settings, arguments: argparse.Namespace) -> int:
    """Restore; 1 where something could not be."""
    failures = 0
    with open_database(settings) as database:
        store = _open_store(settings, database)
        try:
            found = _find(database, arguments) if _is_meant(arguments) else []
            for deleted in found:
                try:
                    store.trash.restore(deleted, _recording(Kind.RESTORED))
                except NotRestored as error:
                    failures += 1
                    print(f"imageserver: {deleted.sop_instance_uid}: {error.detail}", file=sys.stderr)
        finally:
            store.close()
    print(f"{len(found) - failures} restored")
    return 1 if failures or not _is_meant(arguments) else 0


def run_purge(settings: Settings, arguments: argparse.Namespace) -> int:
    """Purge; files of the data directory stay hidden."""
    with open_database(settings) as database:
        store = _open_store(settings, database)
        try:
            found = _find(database, arguments) if _is_meant(arguments) else []
            purged = store.trash.purge(found, _recording(Kind.PURGED))
        finally:
            store.close()
    print(f"{len(purged)} purged")
    return 0 if _is_meant(arguments) else 1


def _open_store(settings: Settings, database: Database) -> Store:
    store = Store(settings, database, DataDirectory(settings.data_dir, settings.store_dir))
    store.open()
    return store


def _is_meant(arguments: argparse.Namespace) -> bool:
    """Tell whether the command says what it is about; nothing is taken for everything."""
    if arguments.all or arguments.study or arguments.series or arguments.instance:
        return True
    print("imageserver: say which: --study, --series, --instance or --all", file=sys.stderr)
    return False


def _find(database: Database, arguments: argparse.Namespace) -> list[DeletedInstance]:
    with database.reading() as session:
        return find_deleted(session, Wanted(arguments.study, arguments.series, arguments.instance))


def _recording(kind: Kind) -> RecordDeleted:
    def record(session: Session, deleted: Sequence[DeletedInstance]) -> None:
        rows = [
            InstanceRecord(
                Outcome.SUCCESS, None, one.study_instance_uid, one.series_instance_uid, one.sop_instance_uid
            )
            for one in deleted
        ]
        record_instances(session, Actor(COMMAND_LINE), kind, utc_now(), rows)

    return record


def _as_dict(deleted: DeletedInstance, days: int) -> dict[str, Any]:
    when = datetime.fromtimestamp(deleted.deleted_at, UTC)
    until = "hidden in the data directory" if deleted.trash is None else f"kept for {days} days"
    return {
        "deleted_at": when.isoformat(),
        "deleted_by": deleted.deleted_by,
        "study_instance_uid": deleted.study_instance_uid,
        "series_instance_uid": deleted.series_instance_uid,
        "sop_instance_uid": deleted.sop_instance_uid,
        "size": deleted.size,
        "state": until,
    }
