"""``imageserver quarantine``: list, release or remove files that contradict an instance; recorded in the audit."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from imageserver.archive.files import DataDirectory
from imageserver.archive.managed_store import Store
from imageserver.archive.quarantine import NotReleased, Quarantine, QuarantinedFile, RecordSettled
from imageserver.audit.models import Kind, Outcome
from imageserver.audit.record import COMMAND_LINE, Actor, InstanceRecord, record_instances
from imageserver.clock import utc_now
from imageserver.commands.opening import open_database
from imageserver.errors import NotOffered
from imageserver.settings import Settings

FREE, CONTRADICTING, DAMAGED = "can be released", "contradicts the instance that is there", "cannot be read"


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "quarantine", help="list, release or remove files that contradict an instance"
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, run, text in (
        ("list", run_list, "list what waits for a decision"),
        ("release", run_release, "make one of them the instance, after the present one was deleted"),
        ("remove", run_remove, "remove them for good"),
    ):
        verb = verbs.add_parser(name, help=text)
        verb.add_argument("--instance", metavar="UID", help="only of this SOP Instance UID")
        verb.add_argument("--file", metavar="NAME", help="only this file, as it is listed")
        if name == "list":
            verb.add_argument("--json", action="store_true", help="one JSON object per line")
        elif name == "remove":
            verb.add_argument("--all", action="store_true", help="everything that is listed")
        verb.set_defaults(run=run)


def run_list(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print what there is."""
    with _open(settings) as quarantine:
        for one in _find(quarantine, arguments):
            values = _as_dict(one)
            print(json.dumps(values) if arguments.json else "\t".join(map(str, values.values())))
    return 0


def run_release(settings: Settings, arguments: argparse.Namespace) -> int:
    """Release one file; 1 where it could not be."""
    if not (arguments.instance or arguments.file):
        print("imageserver: say which: --instance or --file", file=sys.stderr)
        return 1
    with _open(settings) as quarantine:
        found = _find(quarantine, arguments)
        if len(found) != 1:
            text = "no file is meant" if not found else f"{len(found)} files are meant: choose one by --file"
            print(f"imageserver: {text}", file=sys.stderr)
            return 1
        try:
            quarantine.release(found[0], _recording(Kind.STORED, "released"))
        except NotReleased as error:
            print(f"imageserver: {found[0].name}: {error.detail}", file=sys.stderr)
            return 1
    print("1 released")
    return 0


def run_remove(settings: Settings, arguments: argparse.Namespace) -> int:
    """Remove files."""
    if not (arguments.all or arguments.instance or arguments.file):
        print("imageserver: say which: --instance, --file or --all", file=sys.stderr)
        return 1
    with _open(settings) as quarantine:
        found = _find(quarantine, arguments)
        for one in found:
            quarantine.remove(one, _recording(Kind.PURGED, "quarantine"))
    print(f"{len(found)} removed")
    return 0


@contextmanager
def _open(settings: Settings) -> Iterator[Quarantine]:
    with open_database(settings) as database:
        store = Store(settings, database, DataDirectory(settings.data_dir, settings.store_dir))
        if store.quarantine is None:
            raise NotOffered("This server stores nothing: IMAGESERVER_STORE_DIR is not set.")
        store.open()
        try:
            yield store.quarantine
        finally:
            store.close()


def _find(quarantine: Quarantine, arguments: argparse.Namespace) -> list[QuarantinedFile]:
    return [
        one
        for one in quarantine.find()
        if arguments.instance in (None, one.sop_instance_uid) and arguments.file in (None, one.name)
    ]


def _recording(kind: Kind, reason: str) -> RecordSettled:
    def record(session: Session, one: QuarantinedFile) -> None:
        uids = one.study_instance_uid, one.series_instance_uid, one.sop_instance_uid
        row = InstanceRecord(Outcome.SUCCESS, reason, *uids)
        record_instances(session, Actor(COMMAND_LINE), kind, utc_now(), [row])

    return record


def _as_dict(one: QuarantinedFile) -> dict[str, Any]:
    state = CONTRADICTING if one.is_contradicting else FREE
    return {
        "file": one.name,
        "received_at": datetime.fromtimestamp(one.received_at, UTC).isoformat(timespec="seconds"),
        "study_instance_uid": one.study_instance_uid,
        "series_instance_uid": one.series_instance_uid,
        "sop_instance_uid": one.sop_instance_uid,
        "size": one.size,
        "state": DAMAGED if one.sop_instance_uid is None else state,
    }
