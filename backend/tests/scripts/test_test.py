"""The stages of `make test`."""

import os
from pathlib import Path
from typing import Any

import pytest

from scripts import test


def test_each_run_of_pytest_has_temporary_files_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folders: list[Path] = []

    def run(commands: list[list[str | Path]], *_: Any) -> int:
        [option] = [str(word) for word in commands[0] if str(word).startswith("--basetemp=")]
        folders.append(Path(option.partition("=")[2]))
        assert folders[-1].parent.is_dir()
        _nest(folders[-1].parent, depth=1200)  # as tests of deep data directories do
        return 0

    monkeypatch.setattr(test, "run_each", run)
    monkeypatch.setattr(test, "backend_environment", dict)
    assert [test.backend_on_sqlite(tmp_path / "a.xml"), test.backend_on_sqlite(tmp_path / "b.xml")] == [0, 0]
    assert folders[0] != folders[1]
    assert not any(folder.parent.exists() for folder in folders)  # nothing is left behind
    # The name of a Unix socket has room for 107 bytes, and tests need some of them.
    assert all(len(str(folder)) < 60 for folder in folders)


def test_postgresql_gets_what_may_depend_on_the_database(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands: list[list[str | Path]] = []
    monkeypatch.setattr(test, "run_each", lambda given, *_: commands.extend(given) or 0)
    monkeypatch.setattr(test, "backend_environment", dict)
    monkeypatch.setenv("IMAGESERVER_TEST_DATABASE_URL", "postgresql://given")
    test.backend_on_postgresql(tmp_path / "report.xml")
    test.backend_on_sqlite(tmp_path / "report.xml")
    on_postgresql, on_sqlite = ([str(word) for word in command] for command in commands)
    assert on_postgresql[on_postgresql.index("-m", 2) + 1] == "database"
    assert "database" not in on_sqlite


FAILING = '<testcase classname="a" name="test_{number}"><failure message="no"/></testcase>'


@pytest.mark.parametrize(("is_ci", "failed", "runs"), [(True, 5, 2), (True, 6, 1), (False, 1, 1)])
def test_few_that_fail_are_tried_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_ci: bool, failed: int, runs: int
) -> None:
    commands: list[list[str]] = []

    def run(given: list[list[str | Path]], *_: Any) -> int:
        commands.append([str(word) for word in given[0]])
        cases = "".join(FAILING.format(number=number) for number in range(failed))
        (tmp_path / "report.xml").write_text(f'<testsuite name="a">{cases}</testsuite>')
        return 1

    monkeypatch.setattr(test, "run_each", run)
    monkeypatch.setattr(test, "backend_environment", dict)
    monkeypatch.setenv("CI", "true" if is_ci else "")
    assert test.backend_on_sqlite(tmp_path / "report.xml") == 1
    assert ["--last-failed" in command for command in commands] == [False, True][:runs]
    assert all("-n" not in command for command in commands[1:])
    folders = [word for command in commands for word in command if word.startswith("--basetemp=")]
    assert len(set(folders)) == runs  # pytest empties its folder, and fails where tests left deep ones


def test_a_test_is_marked_by_its_database(request: pytest.FixtureRequest, database_url: str) -> None:
    assert request.node.get_closest_marker("database")


@pytest.mark.any_database
def test_a_test_that_is_the_same_on_any_database_is_not_marked(
    request: pytest.FixtureRequest, database_url: str
) -> None:
    assert request.node.get_closest_marker("database") is None


def test_a_test_without_a_database_is_not_marked(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    assert request.node.get_closest_marker("database") is None


def _nest(folder: Path, depth: int) -> None:
    """Make folders within each other, deeper than a path can name."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("deeper", dir_fd=here)
        inner = os.open("deeper", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
