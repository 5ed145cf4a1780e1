"""What a command tells while the index is being brought up to date."""

import io
import re
import time

import pytest
from sqlalchemy import update

from imageserver.archive.lease import ensure_state_row
from imageserver.archive.models import IndexState
from imageserver.archive.volumes import IndexStatus
from imageserver.commands import progress
from imageserver.commands.progress import ProgressLine, bar, duration, shown_progress
from imageserver.database import Database


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def database_at_work(database: Database) -> Database:
    with database.writing() as session:
        ensure_state_row(session)
        session.execute(update(IndexState).values(seen=100, indexed=30, refused=2, pending=68))
    return database


def status(pending: int, remaining: float | None = None) -> IndexStatus:
    return IndexStatus(
        "building", seen=200, indexed=30, refused=2, pending=pending, remaining_seconds=remaining
    )


def test_a_line_tells_files_rate_and_time() -> None:
    line = ProgressLine(10.0)
    assert line.text(status(100), 10.0, with_bar=False) == "0 of 100 files read, 30 indexed, 2 refused, 0/s"
    assert line.text(status(25, 80.4), 25.0, with_bar=False) == (
        "75 of 100 files read, 30 indexed, 2 refused, 5/s, 1 min 20 s left"
    )
    assert (line.text(status(25), 25.0, with_bar=True) or "").startswith(
        "[##################------] 75 of 100"
    )


def test_nothing_is_told_where_nothing_is_read() -> None:
    assert ProgressLine(0.0).text(status(0), 1.0, with_bar=True) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (7260, "2 h 1 min")]
)
def test_times(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("part", "full"), [(0.0, 0), (0.5, 12), (1.0, 24)])
def test_the_bar(part: float, full: int) -> None:
    assert bar(part) == f"[{'#' * full}{'-' * (24 - full)}]"


def watch(database: Database, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(progress, "TERMINAL_SECONDS", 0.01)
    monkeypatch.setattr(progress, "PLAIN_SECONDS", 0.01)
    with shown_progress(database, stream):
        until = time.monotonic() + 60
        while stream.getvalue().count("files read") < 2 and time.monotonic() < until:
            time.sleep(0.01)
    return stream.getvalue()


def test_a_terminal_gets_one_line_that_is_gone_in_the_end(
    database_at_work: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = watch(database_at_work, Terminal(), monkeypatch)
    assert "\n" not in shown
    assert shown.count("\r\x1b[K[----") >= 2
    assert shown.endswith("\r\x1b[K")


def test_a_log_gets_plain_lines(database_at_work: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = watch(database_at_work, io.StringIO(), monkeypatch).splitlines()
    assert len(lines) >= 2
    assert all(re.fullmatch(r"0 of 68 files read, 30 indexed, 2 refused, 0/s", line) for line in lines)


def test_a_database_that_is_away_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PLAIN_SECONDS", 0.01)
    stream = io.StringIO()
    with shown_progress(Database("postgresql+psycopg://nobody@127.0.0.1:1/none"), stream):
        time.sleep(0.1)
    assert stream.getvalue() == ""
