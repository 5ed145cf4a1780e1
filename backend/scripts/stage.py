"""One step of `make test`: what it runs, how long it took, what it counted."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from scripts.preparation import ROOT, SetupError, say

LONGEST_LINE = 300
TIDY_SECONDS = 2.0  # for browsers and servers of tests to be closed after Ctrl-C


@dataclass
class Counts:
    """How many tests there were; a linter counts as one test."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()
    second_tries: tuple[str, ...] = ()

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.failures + other.failures,
            self.second_tries + other.second_tries,
        )

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


@dataclass
class Stage:
    """A named part of the suite. `work` returns the exit code; it may write a JUnit report to the path it is given."""

    title: str
    work: Callable[[Path], int]
    seconds: float = 0.0
    counts: Counts = field(default_factory=Counts)
    was_run: bool = False

    def run(self, reports: Path) -> None:
        """Do the work and count; a set-up that cannot be made is a failure, said in its one line."""
        say(f"\n=== {self.title} ===")
        self.was_run = True
        report = reports / f"{self.title.replace(' ', '-')}.xml"
        began = time.monotonic()
        try:
            code = self.work(report)
        except SetupError as error:
            say(str(error))
            code = 1
        self.seconds = time.monotonic() - began
        self.counts = read_reports(report) if report.exists() else Counts(passed=int(code == 0))
        if code != 0 and not self.counts.failed:
            self.counts.failed = 1


def second_report(report: Path) -> Path:
    """Return where the report of a second try of those that failed lies."""
    return report.with_suffix(".second.xml")


def read_reports(report: Path) -> Counts:
    """Sum up a report, and that of a second try where there was one; what passed then is told by name."""
    first = read_report(report)
    if not second_report(report).exists():
        return first
    second = read_report(second_report(report))
    if second.passed + second.failed + second.skipped != first.failed:
        return first  # it tried others
    skipped = first.skipped + second.skipped
    return Counts(first.passed + second.passed, second.failed, skipped, second.failures, first.failures)


def read_report(report: Path) -> Counts:
    """Sum up a JUnit report, the format that pytest, Vitest and Playwright have in common.

    Its cases are counted, not its own sums: a test that fails and cannot be torn down either stands there twice.
    """
    passed = skipped = 0
    failures: dict[tuple[str | None, str | None], str] = {}
    for suite in ET.parse(report).getroot().iter("testsuite"):
        for case in suite.findall("testcase"):
            if _problem_of(case) is not None:
                failures.setdefault((case.get("classname"), case.get("name")), _told(case, suite))
            elif case.find("skipped") is not None:
                skipped += 1
            else:
                passed += 1
    return Counts(passed, len(failures), skipped, tuple(failures.values()))


def _problem_of(case: ET.Element) -> ET.Element | None:
    found = case.find("failure")
    return case.find("error") if found is None else found


def _told(case: ET.Element, suite: ET.Element) -> str:
    """Say in a line which test failed, and how: the first line of what it says about it."""
    problem = _problem_of(case)
    said = "" if problem is None else problem.get("message") or problem.text or ""
    first = next((line.strip() for line in said.splitlines() if line.strip()), "")
    name = " › ".join(filter(None, (case.get("classname") or suite.get("name"), case.get("name"))))
    return f"{name}: {first}"[:LONGEST_LINE]


def run_each(commands: list[list[str | Path]], folder: Path, environment: dict[str, str]) -> int:
    """Run commands one after the other, all of them, and return the first exit code that is not 0."""
    codes = []
    for command in commands:
        shown = " ".join(Path(word).name if isinstance(word, Path) else word for word in command)
        say(f"{folder.relative_to(ROOT)}> {shown}")
        codes.append(_run_in_a_session(command, folder, environment))
    return next((code for code in codes if code != 0), 0)


def _run_in_a_session(command: list[str | Path], folder: Path, environment: dict[str, str]) -> int:
    """Run a command in a session of its own, of which nothing is left when it ends or we are stopped.

    npm starts Playwright, Playwright starts servers: a signal to npm alone would leave the others behind.
    """
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
    )
    try:
        return process.wait()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(TIDY_SECONDS)
        raise
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def summary(stages: list[Stage]) -> str:
    """Return the table that stands at the end, and the sum as its last line."""
    lines = ["", f"{'stage':<28}{'seconds':>8}   result"]
    for stage in stages:
        result = str(stage.counts) if stage.was_run else "not run, because another one failed"
        lines.append(f"{stage.title:<28}{stage.seconds:>8.1f}   {result}")
    tried_again = [f"  {stage.title}: {told}" for stage in stages for told in stage.counts.second_tries]
    if tried_again:
        lines += ["", "Tried a second time; what passed then is a fault all the same:", *tried_again]
    failed = [stage for stage in stages if stage.counts.failed]
    if failed:
        lines += ["", "What failed; the reasons stand above, where the stage ran:"]
    for stage in failed:
        lines += [f"  {stage.title}: {told}" for told in stage.counts.failures or ("see its output",)]
    return "\n".join([*lines, "", str(sum((stage.counts for stage in stages), Counts()))])
