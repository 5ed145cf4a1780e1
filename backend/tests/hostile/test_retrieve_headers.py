"""T30: no odd Accept, Range or query brings an error of the server, or comes back in a header."""

from pathlib import Path

from fuzz.report import Options
from fuzz.targets.retrieve_headers import run

COUNT = 300


def test_odd_questions_break_nothing(tmp_path: Path) -> None:
    report = run(Options(COUNT, None, 7, tmp_path / "findings"))
    assert not report.faults, report.faults
    assert {"200", "206", "400", "406"} <= set(report.outcomes)
