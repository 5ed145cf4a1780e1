"""Files that change under 50 readers: each answer is the whole old or the whole new object (T46)."""

import tempfile
import time
from collections import Counter
from pathlib import Path

from fuzz.changing_folder import ChangingFolder
from fuzz.readers import Ask, Readers
from fuzz.report import Criterion, Options, Report
from fuzz.serving import running_server

COUNT = 5_000
FILES = 200
READERS = 50
WORKERS = 2
PAUSE_SECONDS = 0.04  # so that a file stands still long enough to be indexed between two changes
_LEAST_SHARE_OF_PICTURES = 0.1


def run(options: Options) -> Report:
    """Change files under a real server of two processes."""
    with tempfile.TemporaryDirectory(prefix="imageserver-changing-") as name:
        folder = ChangingFolder(Path(name), FILES, options.seed)
        with running_server(Path(name), WORKERS, READERS + 1) as server:
            report = change(folder, server.ask, options, READERS)
            report.deaths += server.deaths()
            report.outcomes.update({"connections closed while idle": server.closed})
            return report


def change(folder: ChangingFolder, ask: Ask, options: Options, readers: int) -> Report:
    """Change `options.count` files while `readers` threads read, then wait until everything is shown again."""
    begin = time.monotonic()
    report = Report(seed=options.seed)
    reading = Readers(folder, ask, readers, options.seed)
    reading.settle()
    reading.outcomes.clear()
    reading.start()
    kinds: Counter[str] = Counter()
    try:
        while report.tried < options.count and not _is_late(options, begin):
            kinds[folder.mutate()] += 1
            report.tried += 1
            time.sleep(PAUSE_SECONDS)
    finally:
        reading.stop()
    pictures = reading.outcomes["200"]
    answers = sum(reading.outcomes.values())
    reading.settle()
    reading.report_to(report)
    report.outcomes.update({f"mutation {kind}": count for kind, count in kinds.items()})
    report.seconds = time.monotonic() - begin
    lacking = max(0.0, _LEAST_SHARE_OF_PICTURES - pictures / max(answers, 1))
    report.criteria.append(Criterion("share of pictures that is lacking", lacking, 0.0))
    return report


def _is_late(options: Options, begin: float) -> bool:
    return options.seconds is not None and time.monotonic() - begin > options.seconds
