"""Two files with one SOP Instance UID and other bytes: the first stays, after a restart, too (T47)."""

import hashlib
import time
from pathlib import Path

from fuzz.indexing import Worker, shown_digest, temporary_index, write
from fuzz.report import Options, Report
from imageserver.database import Database
from tests.builders import uid

COUNT = 1_000
_RESTART_EVERY = 50


def run(options: Options) -> Report:
    """Put the first files, index them, put the second ones under names that come before, index with restarts."""
    report = Report(seed=options.seed)
    begin = time.monotonic()
    with temporary_index() as (url, folder):
        first = [
            hashlib.sha256(write(folder, f"b{number}", f"pair {number}", "FIRST")).hexdigest()
            for number in range(options.count)
        ]
        _look_once(url, folder)
        for number in range(options.count):
            write(folder, f"a{number}", f"pair {number}", "SECOND")
            if number % _RESTART_EVERY == 0 or number == options.count - 1:
                report.outcomes[_look_once(url, folder)] += 1
        _look_once(url, folder)
        database = Database(url)
        for number, digest in enumerate(first):
            found = shown_digest(database, folder, uid(f"pair {number}", 1))
            report.outcomes["the first is shown" if found == digest else "changed"] += 1
            report.faults.update([] if found == digest else ["the second replaced the first"])
            report.tried += 1
        database.dispose()
    report.seconds = time.monotonic() - begin
    return report


def _look_once(url: str, folder: Path) -> str:
    """Look as a process that has just started."""
    worker = Worker(url, folder)
    outcome = worker.look()
    worker.end()
    return outcome
