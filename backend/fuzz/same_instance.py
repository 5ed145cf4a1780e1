"""Many clients that store the same instance at the same moment, in real server processes.

``python -m fuzz.same_instance --rounds 10`` prints figures; the database is an embedded one, or a new one on the server
that IMAGESERVER_TEST_DATABASE_URL names. Each round has a study, series and patient that are new, and three parts:

- identical bytes under one SOP Instance UID: all are acknowledged;
- other bytes each under one SOP Instance UID: one is acknowledged, the others are refused as duplicates (409);
- other instances of one series: all are acknowledged, and study and series are there once.

Afterwards there is one row and one file of each instance, with the bytes of exactly one submission.
"""

import argparse
import hashlib
import io
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydicom import dcmread
from sqlalchemy import select

from fuzz.kills import instance
from fuzz.served import database_url
from fuzz.serving import Server, running_server
from fuzz.store_requests import failure_reasons, store_at_once
from imageserver.archive.models import File, Instance, Series, Study
from imageserver.database import Database

DUPLICATE = 0x0111


@dataclass
class Figures:
    """What was seen in all rounds."""

    rounds: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def contents(number: int, clients: int, *, is_same: bool, is_one_instance: bool = True) -> list[bytes]:
    """Return what each client sends: files of one series that nobody has sent yet."""
    made = []
    for client in range(clients):
        dataset = dcmread(io.BytesIO(instance(number if is_one_instance else number + client, 8)))
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"2.25.1{number}", f"2.25.2{number}"
        dataset.PatientID = f"P{number}"
        dataset.PatientName = "Same^One" if is_same else f"Other^{client:04}"
        stream = io.BytesIO()
        dataset.save_as(stream, enforce_file_format=True)
        made.append(stream.getvalue())
    return made


def _judge(
    kind: str, sent: Sequence[bytes], answers: Sequence[tuple[int, list[int]]], one_wins: bool
) -> list[str]:
    """Return what is wrong with the answers."""
    statuses = Counter(status for status, _ in answers)
    wanted = Counter([200] + [409] * (len(sent) - 1) if one_wins else [200] * len(sent))
    faults = [] if statuses == wanted else [f"{kind}: {dict(statuses)}"]
    if any(reasons != [DUPLICATE] for status, reasons in answers if status == 409):
        faults.append(f"{kind}: another Failure Reason than {DUPLICATE:04X}H")
    return faults


def _stored(database: Database, store: Path, number: int) -> tuple[list[str], int, int]:
    """Return the checksums of the files of a series by its rows, and how many studies and series there are of it."""
    with database.reading() as session:
        statement = select(File.path).join(Instance, File.instance_id == Instance.id).join(Series)
        wanted = Series.series_instance_uid == f"2.25.2{number}"
        paths = session.scalars(statement.where(wanted)).all()
        series = len(session.scalars(select(Series.id).where(wanted)).all())
        studies = len(
            session.scalars(select(Study.id).where(Study.study_instance_uid == f"2.25.1{number}")).all()
        )
    files = [store / path.removeprefix(b"/store/").decode() for path in paths]
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files], studies, series


def run_round(
    server: Server,
    database: Database,
    store: Path,
    number: int,
    clients: int,
    figures: Figures,
    tries: int = 1,
) -> None:
    """Let all clients store at once, in each of the three ways; `tries` as in `store_at_once`."""
    for place, (kind, is_same, is_one) in enumerate(
        (("identical", True, True), ("different", False, True), ("siblings", False, False))
    ):
        key = 1_000_000 + (number * 3 + place) * 1000
        sent = contents(key, clients, is_same=is_same, is_one_instance=is_one)
        given = store_at_once(server, sent, tries)
        answers = [
            (answer.status_code, failure_reasons(answer) if answer.status_code == 409 else [])
            for answer in given
        ]
        codes = [answer.json()["code"] for answer in given if answer.status_code >= 500]
        figures.statuses.update(status for status, _ in answers)
        figures.faults += [f"{kind}: {count} x {code}" for code, count in Counter(codes).items()]
        figures.faults += _judge(kind, sent, answers, one_wins=is_one and not is_same)
        checksums = [hashlib.sha256(content).hexdigest() for content in sent]
        found, studies, series = _stored(database, store, key)
        if (studies, series) != (1, 1):
            figures.faults.append(f"{kind}: {studies} studies, {series} series")
        if len(found) != (1 if is_one else clients) or not set(found) <= set(checksums):
            figures.faults.append(f"{kind}: {len(found)} rows, or a file that nobody sent")
        if is_one and not is_same:
            winners = [
                checksum for checksum, (status, _) in zip(checksums, answers, strict=True) if status == 200
            ]
            if found != winners:
                figures.faults.append(f"{kind}: the file is not the one that was acknowledged")
    figures.rounds += 1


def run(folder: Path, rounds: int, clients: int, workers: int) -> Figures:
    """Start a server and let clients store."""
    figures = Figures()
    data, store = folder / "data", folder / "store"
    data.mkdir()
    with (
        database_url(folder) as url,
        running_server(
            data, workers, clients, STORE_DIR=str(store), DATABASE_URL=url, STORE_RESERVE_MIB="0"
        ) as server,
    ):
        database = Database(url)
        try:
            for number in range(rounds):
                run_round(server, database, store, number, clients, figures)
            if server.deaths():
                figures.faults.append("a process of the server ended")
        finally:
            database.dispose()
    visible = [path for path in store.rglob("*.dcm") if not path.relative_to(store).parts[0].startswith(".")]
    if len(visible) != rounds * (2 + clients):
        figures.faults.append(f"{len(visible)} files")
    if any((store / ".incoming").rglob("*")):
        figures.faults.append("something is left of receiving")
    return figures


def main() -> int:
    """Run as a command; 1 where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4])
    arguments = parser.parse_args()
    is_well = True
    for workers in arguments.workers:
        with tempfile.TemporaryDirectory() as folder:
            figures = run(Path(folder), arguments.rounds, arguments.clients, workers)
        print(workers, "workers:", figures, flush=True)
        is_well = is_well and not figures.faults
    return 0 if is_well else 1


if __name__ == "__main__":
    raise SystemExit(main())
