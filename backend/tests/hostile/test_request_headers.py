"""T07, T30: no odd header brings an error of the server, and no damaged token anything of a patient."""

from pathlib import Path

from fuzz.report import Options
from fuzz.targets.request_headers import run

COUNT = 150


def test_odd_headers_break_nothing(tmp_path: Path) -> None:
    report = run(Options(COUNT, None, 7, tmp_path / "findings"))
    assert not report.faults
    assert {"200", "401", "400"} <= set(report.outcomes)
