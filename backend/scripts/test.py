"""`make test`: the whole suite with its set-up. A table, what failed, and the sum stand at the end.

Every stage runs; where CI is set, none after the first one that failed.

Nothing is skipped silently: a program that is missing fails its stage with the line that says what to install.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from scripts.chromium import find_chromium
from scripts.postgres import temporary_server
from scripts.preparation import (
    BACKEND,
    FRONTEND,
    VENV_PYTHON,
    SetupError,
    build_pages,
    prepare_node_packages,
    prepare_python,
    python_environment,
    require_node,
    require_python,
    say,
)
from scripts.stage import Stage, read_report, run_each, second_report, summary

# What these test does not depend on which database it is.
ROOMS_WITHOUT_DATABASE = ("corpus", "dicom", "repository", "scripts")
TESTS_FAILED = 1  # pytest's exit code
MOST_SECOND_TRIES = 5  # more is no accident
# One process per core, each with a database and temporary files of its own. Who is done takes over from others.
IN_PARALLEL = ("-n", "auto", "--maxprocesses", "8", "--dist", "worksteal")


def _without_settings(environment: dict[str, str]) -> dict[str, str]:
    """Drop the settings of a server that the developer runs: tests choose their own."""
    return {name: value for name, value in environment.items() if not name.startswith("IMAGESERVER_")}


def backend_environment() -> dict[str, str]:
    """Return the environment of the back end's tools; DICOM_CORPUS_DIR passes through."""
    return _without_settings(python_environment())


def frontend_environment() -> dict[str, str]:
    """Return the environment of the front end's tools and of the journeys."""
    return _without_settings(dict(os.environ)) | {"IMAGESERVER_PYTHON": str(VENV_PYTHON)}


def lint_backend(_: Path) -> int:
    """Check style and types of the back end."""
    tools = ["ruff check .", "ruff format --check .", "mypy"]
    return run_each([[VENV_PYTHON, "-m", *tool.split()] for tool in tools], BACKEND, backend_environment())


def lint_frontend(_: Path) -> int:
    """Check style and types of the front end."""
    return run_each([["npm", "run", "lint"], ["npm", "run", "check"]], FRONTEND, frontend_environment())


def _pytest(report: Path, *options: str, **settings: str) -> int:
    """Run pytest with temporary files of its own.

    By default all runs of a user share a folder, in which each removes what others left: that can end a run. The path
    is short, because those of sockets have a limit.

    As for journeys, a few tests that fail get a second try where CI is set, one after the other; the end names them.
    """
    folder = tempfile.mkdtemp(prefix="ist-")
    try:
        command: list[str | Path] = [
            VENV_PYTHON,
            "-m",
            "pytest",
            "-q",
            "-o",
            f"cache_dir={folder}/c",
            *options,
        ]
        environment = backend_environment() | settings
        first = [f"--basetemp={folder}/t", *IN_PARALLEL, f"--junitxml={report}"]
        code = run_each([[*command, *first]], BACKEND, environment)
        if code == TESTS_FAILED and os.environ.get("CI") and read_report(report).failed <= MOST_SECOND_TRIES:
            # A folder of its own: pytest cannot remove what some tests leave in the first one either, see below.
            again = [f"--basetemp={folder}/again", "--last-failed", "--last-failed-no-failures=none"]
            again.append(f"--junitxml={second_report(report)}")
            code = run_each([[*command, *again]], BACKEND, environment)
        return code
    finally:
        # Not by `shutil`, which ends with a RecursionError in the deep folders of some tests.
        subprocess.run(["rm", "-rf", "--", folder], check=False)


def backend_on_sqlite(report: Path) -> int:
    """Run the back end's tests on the embedded database."""
    return _pytest(report)


def backend_on_postgresql(report: Path) -> int:
    """Run them on a real PostgreSQL: the given one, or one of our own for as long as they take.

    What knows no database is not tested a second time: neither whole rooms nor, in the others, single tests.
    """
    ignored = [f"--ignore=tests/{room}" for room in ROOMS_WITHOUT_DATABASE]
    given = os.environ.get("IMAGESERVER_TEST_DATABASE_URL")
    with nullcontext(given) if given else temporary_server() as url:
        return _pytest(report, "-m", "database", *ignored, IMAGESERVER_TEST_DATABASE_URL=url)


def frontend_units(report: Path) -> int:
    """Run the front end's unit tests."""
    options = ["--reporter=default", "--reporter=junit", f"--outputFile.junit={report}"]
    return run_each([["npm", "run", "test:unit", "--", *options]], FRONTEND, frontend_environment())


def frontend_build(_: Path) -> int:
    """Build the pages, and compare their size with the budget."""
    build_pages()
    return run_each([["npm", "run", "budget"]], FRONTEND, frontend_environment())


def journeys(report: Path) -> int:
    """Run the journeys in Chromium, against the real API and the built pages."""
    build_pages()
    environment = frontend_environment() | {
        "CHROMIUM_PATH": str(find_chromium()),
        "PLAYWRIGHT_JUNIT_OUTPUT_FILE": str(report),
    }
    return run_each([["npm", "run", "test:e2e", "--", "--reporter=list,junit"]], FRONTEND, environment)


STAGES: dict[str, list[tuple[str, Callable[[Path], int]]]] = {
    "lint": [("lint back end", lint_backend), ("lint front end", lint_frontend)],
    "backend": [("back end on SQLite", backend_on_sqlite), ("back end on PostgreSQL", backend_on_postgresql)],
    "frontend": [("front end", frontend_units), ("build of the pages", frontend_build)],
    "journeys": [("journeys in Chromium", journeys)],
}


def prepare(groups: list[str]) -> None:
    """Install what the chosen stages need."""
    require_python()
    prepare_python("requirements-dev.lock")
    if groups != ["backend"]:
        require_node()
        prepare_node_packages()


def main(groups: list[str]) -> int:
    """Run the named groups of stages, or all; return 0 only if everything passed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the database server is stopped, too
    groups = groups or list(STAGES)
    stages = [Stage(title, work) for group in groups for title, work in STAGES[group]]
    try:
        prepare(groups)
        with tempfile.TemporaryDirectory(prefix="imageserver-reports-") as reports:
            for stage in stages:
                stage.run(Path(reports))
                if stage.counts.failed and os.environ.get("CI"):
                    break
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    say(summary(stages))
    return 0 if all(not stage.counts.failed for stage in stages) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
