"""``imageserver index``: bring the index of the data directory up to date, once."""

import argparse
import sys
from typing import Any

from sqlalchemy.orm import Session

from imageserver.archive.files import DataDirectory
from imageserver.archive.index_state import UNAVAILABLE
from imageserver.archive.indexing import look_once
from imageserver.archive.lease import LeaseLost
from imageserver.archive.problems import find_problems
from imageserver.archive.volumes import get_index_status
from imageserver.commands.check import printable
from imageserver.commands.opening import open_database
from imageserver.commands.progress import shown_progress
from imageserver.settings import Settings

HELP = "bring the index of the data directory up to date, also beside a running server"


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser: argparse.ArgumentParser = commands.add_parser("index", help=HELP, description=HELP)
    parser.add_argument(
        "--forget-missing",
        action="store_true",
        help="empty the index if the data directory is empty or gone; otherwise it is kept until the folder is back",
    )
    parser.add_argument("--refused", action="store_true", help="list the files that are not shown, and why")
    parser.set_defaults(run=run)


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Look at the folder once and print what is in the index; 1 where that could not be done."""
    directory = DataDirectory(settings.data_dir, settings.store_dir)
    with open_database(settings) as database:
        try:
            with shown_progress(database):
                outcome = look_once(
                    database,
                    directory,
                    forget_missing=arguments.forget_missing,
                    take_over=True,
                    readers=settings.index_readers,
                )
        except LeaseLost:
            print("imageserver: another process took the index over, and goes on with it.", file=sys.stderr)
            return 1
        with database.reading() as session:
            status = get_index_status(session)
            if arguments.refused:
                _print_refused(session)
    print(f"{status.seen} files seen, {status.indexed} indexed, {status.refused} refused")
    if outcome is None or outcome.state != UNAVAILABLE:
        return 0
    kept = " Its index is kept; --forget-missing empties it." if status.indexed or status.refused else ""
    print(f"imageserver: the data directory is missing, empty or unreadable.{kept}", file=sys.stderr)
    return 1


def _print_refused(session: Session) -> None:
    for problem in find_problems(session):
        print(f"{printable(problem.path)}\t{problem.code}\t{problem.reason}")
