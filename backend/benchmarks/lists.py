"""The list of volumes at 100,000 series against 1,000: first page, and each key of a name that is typed."""

import os
import random
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import create_engine, make_url, text

from benchmarks.generated import fill, made_up_name
from benchmarks.result import Result
from benchmarks.server import prepare, started
from imageserver.database import Database

FEW, MANY = 1_000, 100_000
PAGE = 50
FIRST_PAGES = 300
NAMES = 60
WARM_UP = 30


def measure_lists(database_url: str = "") -> list[Result]:
    """Measure on SQLite, or in two databases of their own on the PostgreSQL server of `database_url`."""
    with tempfile.TemporaryDirectory(prefix="imageserver-bench-") as name:
        try:
            return _measure(Path(name), database_url)
        finally:
            for count in (FEW, MANY) if database_url else ():
                _administrate(database_url, f'DROP DATABASE IF EXISTS "{_name(count)}" WITH (FORCE)')


def _measure(folder: Path, database_url: str) -> list[Result]:
    """Ask two servers in turn, so that what else the machine does slows both."""
    kind = "PostgreSQL" if database_url else "SQLite"
    folders = [_filled(folder, count, database_url) for count in (FEW, MANY)]
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
        page = f"/volumes?limit={PAGE}"
        first = [(few.time_get(page), many.time_get(page)) for _ in range(FIRST_PAGES)]
        typed = [(few.time_get(key), many.time_get(key)) for key in _keystrokes()]
        unnamed = [
            (few.time_get(key), many.time_get(key)) for key in _keystrokes("&patient=false&sort=patient_name")
        ]
    return [
        _compare(f"first page, {kind}", first),
        _compare(f"typing names, {kind}", typed),
        _compare(f"the same without names, {kind}", unnamed),
    ]


def _keystrokes(options: str = "") -> list[str]:
    source = random.Random(7 + len(options))  # noqa: S311 - made-up names
    addresses = []
    for _ in range(NAMES):
        typed = f"{made_up_name(source)} {made_up_name(source)}"[:9]
        addresses += [
            f"/volumes?limit={PAGE}&query={quote(typed[:end])}{options}" for end in range(1, len(typed) + 1)
        ]
    return addresses


def _compare(name: str, pairs: Sequence[tuple[float, float]]) -> Result:
    few, many = (_p95([pair[place] for pair in pairs]) for place in (0, 1))
    middle = [statistics.median(pair[place] for pair in pairs) * 1000 for place in (0, 1)]
    details = (
        f"p95 {many * 1000:.1f} ms at {MANY:,} series, {few * 1000:.1f} ms at {FEW:,} "
        f"(medians {middle[1]:.1f} and {middle[0]:.1f}); {len(pairs)} requests each"
    )
    return Result(name, many / few, 2.0, "x", details)


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _filled(folder: Path, count: int, database_url: str) -> tuple[Path, Path]:
    data, state = folder / f"data of {count}", folder / f"state of {count}"
    data.mkdir(exist_ok=True)
    address = _make_database(database_url, count)
    prepare(state, address)
    database = Database(address or f"sqlite:///{state / 'imageserver.sqlite3'}")
    fill(database, data, count)
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
