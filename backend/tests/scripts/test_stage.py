"""Stages count what they ran; nothing that failed or was skipped goes under."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.preparation import ROOT, SetupError
from scripts.stage import Counts, Stage, read_report, read_reports, run_each, second_report, summary

# The shape that pytest, Vitest and Playwright share.
REPORT = """<testsuites>
  <testsuite name="a" tests="4" failures="1" errors="1" skipped="1">
    <testcase classname="a" name="one"/>
    <testcase classname="a" name="two"><failure message="no"/></testcase>
    <testcase classname="a" name="three"><error message="no"/></testcase>
    <testcase classname="a" name="four"><skipped/></testcase>
  </testsuite>
  <testsuite name="b" tests="2" failures="0" skipped="0">
    <testcase classname="b" name="one"/>
    <testcase classname="b" name="two"><system-out>said</system-out></testcase>
  </testsuite>
</testsuites>"""


def test_a_report_is_summed_over_its_suites(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(REPORT)
    assert read_report(tmp_path / "report.xml") == Counts(
        passed=3, failed=2, skipped=1, failures=("a › two: no", "a › three: no")
    )


def test_what_fails_and_cannot_be_torn_down_is_one_failure(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(
        """
import pytest

@pytest.fixture
def untidy():
    yield
    raise OSError("untidy")

def test_wrong(untidy):
    raise OSError("wrong")

def test_right():
    pass
"""
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=report.xml"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 1
    failures = ("test_a › test_wrong: OSError: wrong",)
    assert read_report(tmp_path / "report.xml") == Counts(passed=1, failed=1, failures=failures)


def test_a_report_tells_which_tests_failed_and_how(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(
        """<testsuites><testsuite name="all" tests="4" failures="2" errors="1" skipped="0">
        <testcase classname="tests.test_a" name="test_one"/>
        <testcase classname="tests.test_a" name="test_two">
          <failure message="assert 1 == 2&#10;more">trace</failure></testcase>
        <testcase classname="" name="a journey"><failure>
          Error: not visible
          at line 7</failure></testcase>
        <testcase classname="tests.test_b" name="test_three"><error message="">no fixture</error></testcase>
        </testsuite></testsuites>"""
    )
    assert read_report(tmp_path / "report.xml").failures == (
        "tests.test_a › test_two: assert 1 == 2",
        "all › a journey: Error: not visible",
        "tests.test_b › test_three: no fixture",
    )


class TestSecondTry:
    FIRST = """<testsuite name="a">
      <testcase classname="a" name="one"><failure message="no"/></testcase>
      <testcase classname="a" name="two"><failure message="no"/></testcase>
      <testcase classname="a" name="three"/>
      <testcase classname="a" name="four"><skipped/></testcase></testsuite>"""
    SECOND = """<testsuite name="a">
      <testcase classname="a" name="one"/>
      <testcase classname="a" name="two">{problem}</testcase></testsuite>"""

    def counts(self, folder: Path, second: str) -> Counts:
        report = folder / "report.xml"
        report.write_text(self.FIRST)
        second_report(report).write_text(second)
        return read_reports(report)

    def test_what_passes_then_is_told(self, tmp_path: Path) -> None:
        counts = self.counts(tmp_path, self.SECOND.format(problem=""))
        assert counts == Counts(3, 0, 1, second_tries=("a › one: no", "a › two: no"))
        shown = summary([Stage("back end", lambda _: 0, counts=counts, was_run=True)])
        assert "  back end: a › one: no" in shown.splitlines()

    def test_what_fails_again_has_failed(self, tmp_path: Path) -> None:
        counts = self.counts(tmp_path, self.SECOND.format(problem='<failure message="again"/>'))
        assert (counts.passed, counts.failed, counts.failures) == (2, 1, ("a › two: again",))

    def test_a_try_of_others_does_not_count(self, tmp_path: Path) -> None:
        others = '<testsuite name="a"><testcase classname="a" name="one"/></testsuite>'
        assert self.counts(tmp_path, others).failed == 2


@pytest.mark.parametrize(("code", "expected"), [(0, Counts(passed=1)), (1, Counts(failed=1))])
def test_a_stage_without_a_report_counts_as_one(tmp_path: Path, code: int, expected: Counts) -> None:
    stage = Stage("lint", lambda _: code)
    stage.run(tmp_path)
    assert stage.counts == expected


def test_a_crash_after_a_clean_report_is_a_failure(tmp_path: Path) -> None:
    def crash(report: Path) -> int:
        report.write_text('<testsuite name="a"><testcase name="one"/><testcase name="two"/></testsuite>')
        return 3

    stage = Stage("back end", crash)
    stage.run(tmp_path)
    assert stage.counts == Counts(passed=2, failed=1)


def test_what_cannot_be_set_up_fails_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def unprepared(_: Path) -> int:
        raise SetupError("No Chromium was found.")

    stage = Stage("journeys", unprepared)
    stage.run(tmp_path)
    assert stage.counts == Counts(failed=1)
    assert "No Chromium was found." in capsys.readouterr().out


class TestSummary:
    STAGES = (
        Stage("a", lambda _: 0, counts=Counts(passed=5), was_run=True),
        Stage("b", lambda _: 1, counts=Counts(1, 2, 4, ("x: no", "y: no")), was_run=True),
        Stage("c", lambda _: 0),
    )

    def test_the_sum_is_the_last_line(self) -> None:
        assert summary(list(self.STAGES)).splitlines()[-1] == "6 passed, 2 failed, 4 skipped"

    def test_what_failed_stands_right_above(self) -> None:
        assert summary(list(self.STAGES)).splitlines()[-4:-2] == ["  b: x: no", "  b: y: no"]

    def test_a_stage_that_was_left_out_says_so(self) -> None:
        (line,) = [line for line in summary(list(self.STAGES)).splitlines() if line.startswith("c ")]
        assert line.endswith("not run, because another one failed")

    def test_a_linter_that_fails_is_named(self) -> None:
        stage = Stage("lint", lambda _: 1, counts=Counts(failed=1), was_run=True)
        assert "  lint: see its output" in summary([stage])


class TestRunEach:
    def test_all_run_and_the_first_failure_counts(self, tmp_path: Path) -> None:
        marker = tmp_path / "ran"
        commands: list[list[str | Path]] = [
            [sys.executable, "-c", "raise SystemExit(3)"],
            [sys.executable, "-c", f"open({str(marker)!r}, 'w').close()"],
        ]
        assert run_each(commands, ROOT, dict(os.environ)) == 3
        assert marker.exists()

    @pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc, which only Linux has")
    def test_nothing_is_left_behind(self, tmp_path: Path) -> None:
        leaving = (
            "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
            f"open({str(tmp_path / 'pid')!r}, 'w').write(str(p.pid)); import os; os._exit(0)"
        )
        assert run_each([[sys.executable, "-c", leaving]], ROOT, dict(os.environ)) == 0
        pid = int((tmp_path / "pid").read_text())
        deadline = time.monotonic() + 60
        while _is_alive(pid):
            assert time.monotonic() < deadline, "still alive"
            time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:  # it ends while one looks
        return False
