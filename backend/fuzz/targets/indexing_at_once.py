"""The same instance in many files, indexed by several workers at once: one row, one instance (T48)."""

import hashlib
import time
from collections import Counter
from pathlib import Path

from fuzz.campaign import Fault
from fuzz.indexing import Worker, count_rows, look_at_once, shown_digest, temporary_index, write
from fuzz.report import Options, Report
from tests.builders import uid

COUNT = 200
WORKERS = 4
FILES = 8


def run(options: Options) -> Report:
    """Do rounds with identical and with different files, with and without taking the index by force."""
    report = Report(seed=options.seed)
    begin = time.monotonic()
    with temporary_index() as (url, folder):
        workers = [Worker(url, folder) for _ in range(WORKERS)]
        for number in range(options.count):
            if options.seconds is not None and time.monotonic() - begin > options.seconds:
                break
            try:
                report.outcomes.update(one_round(workers, folder, number))
            except Exception as error:
                report.faults[f"{type(error).__name__}: {error}"] += 1
            report.tried += 1
        for worker in workers:
            worker.end()
    report.seconds = time.monotonic() - begin
    return report


def one_round(workers: list[Worker], folder: Path, number: int) -> Counter[str]:
    """Put files of a new patient, study and series with one UID, and let all workers look at once.

    Raises
    ------
    Fault
        If anything is there twice, or not at all.
    """
    series = f"round {number}"
    is_identical, with_force = number % 2 == 0, number % 4 >= 2
    before = count_rows(workers[0].database)
    contents = {
        write(folder, f"{number}-{file}", series, "TEST-1" if is_identical else f"TEST-{file}")
        for file in range(FILES)
    }
    outcomes = look_at_once(workers, with_force=with_force)
    for worker in workers:  # whoever holds the index finishes what a forced end left
        outcomes[f"afterwards {worker.look()}"] += 1
    added = tuple(now - then for now, then in zip(count_rows(workers[0].database), before, strict=True))
    if added != (FILES, 1, 1, 1):
        raise Fault(f"files, instances, series, studies: {added}")
    digest = shown_digest(workers[0].database, folder, uid(series, 1))
    if digest not in {hashlib.sha256(content).hexdigest() for content in contents}:
        raise Fault("what is shown is none of the files")
    return outcomes
