"""Stages count what they ran; nothing that failed or was skipped goes under."""

from pathlib import Path

import pytest

from scripts.preparation import SetupError
from scripts.stage import Counts, Stage, read_report, summary

# The shape that pytest, Vitest and Playwright share.
REPORT = """<testsuites>
  <testsuite name="a" tests="10" failures="1" errors="1" skipped="3"/>
  <testsuite name="b" tests="2" failures="0" skipped="0"/>
</testsuites>"""


def test_a_report_is_summed_over_its_suites(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(REPORT)
    assert read_report(tmp_path / "report.xml") == Counts(passed=7, failed=2, skipped=3)


@pytest.mark.parametrize(("code", "expected"), [(0, Counts(passed=1)), (1, Counts(failed=1))])
def test_a_stage_without_a_report_counts_as_one(tmp_path: Path, code: int, expected: Counts) -> None:
    stage = Stage("lint", lambda _: code)
    stage.run(tmp_path)
    assert stage.counts == expected


def test_a_crash_after_a_clean_report_is_a_failure(tmp_path: Path) -> None:
    def crash(report: Path) -> int:
        report.write_text('<testsuite tests="3" failures="0" errors="0" skipped="0"/>')
        return 3

    stage = Stage("back end", crash)
    stage.run(tmp_path)
    assert stage.counts == Counts(passed=3, failed=1)


def test_what_cannot_be_set_up_fails_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def unprepared(_: Path) -> int:
        raise SetupError("No Chromium was found.")

    stage = Stage("journeys", unprepared)
    stage.run(tmp_path)
    assert stage.counts == Counts(failed=1)
    assert "No Chromium was found." in capsys.readouterr().out


def test_the_sum_is_the_last_line() -> None:
    stages = [
        Stage("a", lambda _: 0, counts=Counts(passed=5)),
        Stage("b", lambda _: 1, counts=Counts(passed=1, failed=2, skipped=4)),
    ]
    assert summary(stages).splitlines()[-1] == "6 passed, 2 failed, 4 skipped"
