"""T30, T38: whatever is sent to be stored, no answer is one of a broken server, and nothing is half-stored."""

from pathlib import Path

from fuzz.report import Options
from fuzz.targets.multipart_http import run

COUNT = 120


def test_broken_requests_break_nothing(tmp_path: Path) -> None:
    report = run(Options(COUNT, None, 7, tmp_path / "findings"))
    assert not report.faults, report.faults
    assert {"200", "202", "400", "409", "415", "no answer"} <= set(report.outcomes)
