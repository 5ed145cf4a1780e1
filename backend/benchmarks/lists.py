"""The lists of volumes and of studies at 100,000 entries against 1,000: pages, orders, and each key that is typed."""

import os
import random
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine, make_url, text

from benchmarks.generated import SERIES_OF_STUDY, fill, made_up_name
from benchmarks.result import Result
from benchmarks.server import Server, prepare, started
from imageserver.database import Database

FEW, MANY = 1_000, 100_000
PAGE = 50
FIRST_PAGES = 300
NAMES = 60
SERIES_OF_ONE = 1  # so that there are as many studies as series
STUDY_COLUMNS = (
    "patient_name", "patient_id", "study_date", "description", "modality", "accession_number", "series_count",
    "slice_count", "verdict",
)  # fmt: skip
WARM_UP = 30


def measure_lists(database_url: str = "") -> Iterator[Result]:
    """Measure on SQLite, or in databases of their own on the PostgreSQL server of `database_url`."""
    lists = ((SERIES_OF_STUDY, _measure_volumes), (SERIES_OF_ONE, _measure_studies))
    for series_of_study, measure in lists:
        with tempfile.TemporaryDirectory(prefix="imageserver-bench-") as name:
            try:
                with _two_servers(Path(name), database_url, series_of_study) as servers:
                    yield from measure(*servers, "PostgreSQL" if database_url else "SQLite")
            finally:
                for count in (FEW, MANY) if database_url else ():
                    _administrate(database_url, f'DROP DATABASE IF EXISTS "{_name(count)}" WITH (FORCE)')


@contextmanager
def _two_servers(folder: Path, database_url: str, series_of_study: int) -> Iterator[tuple[Server, Server]]:
    """Start two servers, to be asked in turn, so that what else the machine does slows both."""
    folders = [_filled(folder, count, database_url, series_of_study) for count in (FEW, MANY)]
    with ExitStack() as stack:
        few, many = [
            stack.enter_context(started(*paths, **_environment(count, database_url)))
            for paths, count in zip(folders, (FEW, MANY), strict=True)
        ]
        for server in (few, many):
            server.connection.close()  # it was idle while the other one started
            server.log_in()
            for _ in range(WARM_UP):
                server.time_get(f"/volumes?limit={PAGE}")
                server.time_get(f"/studies?limit={PAGE}")
        yield few, many


def _measure_volumes(few: Server, many: Server, kind: str) -> Iterator[Result]:
    questions = {
        "first page": [f"/volumes?limit={PAGE}"] * FIRST_PAGES,
        "typing names": _keystrokes("/volumes"),
        "the same without names": _keystrokes("/volumes", "&patient=false&sort=patient_name"),
    }
    for name, addresses in questions.items():
        pairs = [(few.time_get(address), many.time_get(address)) for address in addresses]
        yield _compare(f"volumes, {name}, {kind}", pairs)


def _measure_studies(few: Server, many: Server, kind: str) -> Iterator[Result]:
    page = f"/studies?limit={PAGE}"
    orders = [f"&sort={sign}{column}" for column in STUDY_COLUMNS for sign in ("", "-")]
    conditions = [
        "&modality=CT",
        "&modality=MR&modality=US",
        "&study_date_from=2020-01-01&study_date_to=2023-12-31",
    ]
    questions: dict[str, list[str]] = {
        "first page": [page] * FIRST_PAGES,
        "typing names": _keystrokes("/studies"),
        "typing what nothing has": [f"{page}&query=x{number}" for number in range(100)],
        "typing, by modality": _keystrokes("/studies", conditions[0]),
        "typing, by date": _keystrokes("/studies", conditions[2]),
        "each order": [page + order for order in orders] * 10,
        "each order, filtered": [page + order + one for order in orders for one in conditions] * 3,
    }
    for name, addresses in questions.items():
        pairs = [(few.time_get(address), many.time_get(address)) for address in addresses]
        yield _compare(f"studies, {name}, {kind}", pairs)
    depths = [number / 40 for number in range(40)] * 3
    pairs = [
        (
            few.time_get(f"{page}&offset={int(FEW * depth)}"),
            many.time_get(f"{page}&offset={int(MANY * depth)}"),
        )
        for depth in depths
    ]
    yield _compare(f"studies, pages in the depth, {kind}", pairs)


def _keystrokes(path: str, options: str = "") -> list[str]:
    source = random.Random(7 + len(path + options))  # noqa: S311 - made-up names
    addresses = []
    for _ in range(NAMES):
        typed = f"{made_up_name(source)} {made_up_name(source)}"[:9]
        addresses += [
            f"{path}?limit={PAGE}&query={quote(typed[:end])}{options}" for end in range(1, len(typed) + 1)
        ]
    return addresses


def _compare(name: str, pairs: Sequence[tuple[float, float]]) -> Result:
    few, many = (_p95([pair[place] for pair in pairs]) for place in (0, 1))
    middle = [statistics.median(pair[place] for pair in pairs) * 1000 for place in (0, 1)]
    details = (
        f"p95 {many * 1000:.1f} ms at {MANY:,}, {few * 1000:.1f} ms at {FEW:,} "
        f"(medians {middle[1]:.1f} and {middle[0]:.1f}); {len(pairs)} requests each"
    )
    return Result(name, many / few, 2.0, "x", details)


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _filled(folder: Path, count: int, database_url: str, series_of_study: int) -> tuple[Path, Path]:
    data, state = folder / f"data of {count}", folder / f"state of {count}"
    data.mkdir(exist_ok=True)
    address = _make_database(database_url, count)
    prepare(state, address)
    database = Database(address or f"sqlite:///{state / 'imageserver.sqlite3'}")
    fill(database, data, count, series_of_study)
    database.dispose()
    return data, state


def _environment(count: int, database_url: str) -> dict[str, str]:
    return {"IMAGESERVER_DATABASE_URL": _address(database_url, count)} if database_url else {}


def _name(count: int) -> str:
    return f"imageserver_benchmark_{os.getpid()}_{count}"


def _address(database_url: str, count: int) -> str:
    return make_url(database_url).set(database=_name(count)).render_as_string(hide_password=False)


def _make_database(database_url: str, count: int) -> str:
    if not database_url:
        return ""
    _administrate(database_url, f'CREATE DATABASE "{_name(count)}"')
    return _address(database_url, count)


def _administrate(database_url: str, statement: str) -> None:
    server = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(statement))
    server.dispose()
