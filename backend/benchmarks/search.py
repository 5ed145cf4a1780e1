"""Searches of DICOMweb at 10,000 studies against 1,000: each kind of question, over HTTP."""

import os
import random
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert, make_url, select, text
from sqlalchemy.orm import Session

from benchmarks.generated import fill, made_up_name
from benchmarks.result import Result
from benchmarks.server import Server, prepare, started
from imageserver.archive.chunks import chunks
from imageserver.archive.json_members import text_of
from imageserver.archive.made_metadata import Metadata
from imageserver.archive.models import Series, Study
from imageserver.archive.search_headers import write_headers
from imageserver.archive.stored_metadata import add_metadata
from imageserver.database import Base, Database

FEW, MANY = 1_000, 10_000
INSTANCES = 4  # of each series
OF_ONE_SERIES = 300  # of the first one
GOAL = 3.0  # times as long for ten times as many
REQUESTS = 60
WARM_UP = 20
_ROOT = "/dicomweb"
_CLASS = "1.2.840.10008.5.1.4.1.1.2"


def measure_search(database_url: str = "") -> Iterator[Result]:
    """Measure on SQLite, or in databases of their own on the PostgreSQL server of `database_url`."""
    with tempfile.TemporaryDirectory(prefix="imageserver-bench-") as name, ExitStack() as stack:
        servers = []
        for count in (FEW, MANY):
            address = _make_database(stack, database_url, count)
            data, state = Path(name) / f"data {count}", Path(name) / f"state {count}"
            fill_for_search(data, state, count, address)
            settings = {"IMAGESERVER_DATABASE_URL": address} if address else {}
            servers.append(stack.enter_context(started(data, state, **settings)))
        for server in servers:
            server.connection.close()  # it was idle while the other one started
            server.log_in()
        few, many = servers
        yield from _measure(few, many, "PostgreSQL" if database_url else "SQLite")


def fill_for_search(data: Path, state: Path, studies: int, database_url: str = "") -> None:
    """Write a state with the index of made-up studies of one series each, the same ones each time."""
    data.mkdir(parents=True, exist_ok=True)
    prepare(state, database_url)
    database = Database(database_url or f"sqlite:///{state / 'imageserver.sqlite3'}")
    fill(database, data, studies, series_of_study=1)
    with database.writing() as session:
        if not database.is_sqlite:
            session.execute(text("SET LOCAL statement_timeout = 0"))
        rows = session.execute(
            select(Series, Study).join(Study, Series.study_id == Study.id).order_by(Series.id)
        )
        for some in chunks([(row.Series, row.Study) for row in rows]):
            _add_instances(session, some)
    database.dispose()


def _add_instances(session: Session, made: Sequence[tuple[Series, Study]]) -> None:
    rows, contents = [], {}
    for series, study in made:
        for number in range(1, (OF_ONE_SERIES if series.id == 1 else INSTANCES) + 1):
            uid = f"{series.series_instance_uid}.{number}"
            contents[uid] = Metadata(text_of(_dataset(series, study, number)).encode())
            rows.append(
                {
                    "series_id": series.id,
                    "sop_instance_uid": uid,
                    "sop_class_uid": _CLASS,
                    "instance_number": number,
                    "frames": [],
                    "patient": {},
                    "warnings": [],
                }
            )
    table = Base.metadata.tables["instances"]
    added = session.execute(
        insert(table).returning(table.c.id, table.c.series_id, table.c.sop_instance_uid), rows
    )
    add_metadata(session, [(row[0], row[1], contents[row[2]]) for row in added])
    write_headers(session, [series.id for series, _ in made], [study.id for _, study in made])


def _dataset(series: Series, study: Study, number: int) -> dict[str, Any]:
    """Return a header with as many attributes as scanners write."""
    texts = {
        "00080005": ("CS", "ISO_IR 192"),
        "00080008": ("CS", "ORIGINAL"),
        "00080016": ("UI", _CLASS),
        "00080018": ("UI", f"{series.series_instance_uid}.{number}"),
        "00080020": ("DA", study.study_date),
        "00080030": ("TM", study.study_time),
        "00080050": ("SH", study.accession_number),
        "00080060": ("CS", series.modality),
        "00080070": ("LO", "Phantom Works"),
        "00080080": ("LO", "Synthetic Hospital"),
        "00081030": ("LO", study.study_description),
        "0008103E": ("LO", series.series_description),
        "00100020": ("LO", series.patient["patient_id"]),
        "00100040": ("CS", "O"),
        "0020000D": ("UI", study.study_instance_uid),
        "0020000E": ("UI", series.series_instance_uid),
        **{f"0018{tag:04X}": ("LO", f"a value of {tag}") for tag in range(0x1000, 0x1020)},
    }
    numbers = {"00200011": 3, "00200013": number, "00280010": 512, "00280011": 512, "00280100": 16}
    found: dict[str, Any] = {tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in texts.items()}
    found |= {tag: {"vr": "US", "Value": [value]} for tag, value in numbers.items()}
    found["00080090"] = {"vr": "PN", "Value": [{"Alphabetic": "Nobody^Test"}]}
    found["00100010"] = {"vr": "PN", "Value": [{"Alphabetic": series.patient["raw"]}]}
    return dict(sorted(found.items()))


def questions(studies: int) -> dict[str, list[str]]:
    """Return addresses of each kind for an archive of so many studies."""
    source = random.Random(11)  # noqa: S311 - made-up names
    names = [made_up_name(source) for _ in range(REQUESTS)]
    numbers = [source.randint(1, studies) for _ in range(REQUESTS)]
    pages = [source.randrange(studies) for _ in range(REQUESTS)]
    page = f"{_ROOT}/studies?limit=50"
    return {
        "first page": [page],
        "page in the depth": [f"{page}&offset={offset}" for offset in pages],
        "all attributes": [f"{page}&includefield=all"],
        "accession number": [f"{page}&AccessionNumber=A{number:08}" for number in numbers],
        "name, beginning": [f"{page}&PatientName={name[:4]}*" for name in names],
        "name, within": [f"{page}&PatientName=*{name[1:5].lower()}*" for name in names],
        "name, nothing": [f"{page}&PatientName=*qx{number}*" for number in numbers],
        "dates": [f"{page}&StudyDate=20{year}0101-20{year}0301" for year in range(10, 27)],
        "modality": [f"{page}&ModalitiesInStudy={modality}" for modality in ("CT", "MR", "XA")],
        "four keys": [
            f"{page}&PatientName={name[:2]}*&ModalitiesInStudy=CT&StudyDate=20150101-&PatientSex=O"
            for name in names
        ],
        "series of a study": [f"{_ROOT}/studies/2.25.{number}/series" for number in numbers],
        "series of a modality": [f"{_ROOT}/series?limit=50&Modality={one}" for one in ("CT", "MR", "XA")],
        "instances of a series": [f"{_ROOT}/studies/2.25.1/series/2.25.1.0/instances"],
        "instances of all": [f"{_ROOT}/instances?limit=50"],
    }


def _measure(few: Server, many: Server, kind: str) -> Iterator[Result]:
    asked = zip(questions(FEW).items(), questions(MANY).values(), strict=True)
    for (name, of_few), of_many in asked:
        pairs = []
        for number in range(WARM_UP + REQUESTS):
            one, other = of_few[number % len(of_few)], of_many[number % len(of_many)]
            pairs.append((few.time_get(one), many.time_get(other)))
        yield _compare(f"search, {name}, {kind}", pairs[WARM_UP:])


def _compare(name: str, pairs: Sequence[tuple[float, float]]) -> Result:
    middle = [statistics.median(pair[place] for pair in pairs) for place in (0, 1)]
    highest = [statistics.quantiles([pair[place] for pair in pairs], n=20)[-1] for place in (0, 1)]
    details = (
        f"median {middle[1] * 1000:.1f} ms at {MANY:,}, {middle[0] * 1000:.1f} ms at {FEW:,} "
        f"(p95 {highest[1] * 1000:.1f} and {highest[0] * 1000:.1f}); {len(pairs)} requests each"
    )
    return Result(name, middle[1] / middle[0], GOAL, "x", details)


def _make_database(stack: ExitStack, database_url: str, count: int) -> str:
    """Make a database that goes at the end of the block; return its address, empty for SQLite."""
    if not database_url:
        return ""
    name = f"imageserver_benchmark_{os.getpid()}_{count}"
    _administrate(database_url, f'CREATE DATABASE "{name}"')
    stack.callback(_administrate, database_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    return make_url(database_url).set(database=name).render_as_string(hide_password=False)


def _administrate(database_url: str, statement: str) -> None:
    server = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(statement))
    server.dispose()
