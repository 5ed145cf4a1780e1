"""What is missing or too old is said in one line; what is unchanged is not made again."""

from pathlib import Path

import pytest

from scripts import preparation
from scripts.preparation import (
    SetupError,
    fingerprint,
    is_current,
    python_environment,
    require_node,
    require_python,
)


def program(folder: Path, name: str, answer: str, code: int = 0) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{answer}'\nexit {code}\n")
    path.chmod(0o755)


@pytest.fixture
def only_path(programs_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH on which there is nothing but what the test puts there."""
    monkeypatch.setenv("PATH", str(programs_folder))
    return programs_folder


class TestRequirePython:
    def test_the_running_one_is_new_enough(self) -> None:
        require_python()

    def test_an_old_one_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(preparation.sys, "version_info", (3, 10, 13, "final", 0))
        with pytest.raises(
            SetupError, match=r"^Python 3\.11 or newer is needed; this is 3\.10\.13 \(.*\)\.$"
        ):
            require_python()


class TestRequireNode:
    def test_present(self, only_path: Path) -> None:
        program(only_path, "node", "v20.20.2")
        program(only_path, "npm", "11.19.1")
        assert require_node() == "v20.20.2"

    def test_missing(self, only_path: Path) -> None:
        with pytest.raises(
            SetupError, match=r"^Node\.js 20 or newer is needed; no program 'node' was found on PATH\.$"
        ):
            require_node()

    def test_too_old(self, only_path: Path) -> None:
        program(only_path, "node", "v18.19.0")
        with pytest.raises(
            SetupError, match=r"^Node\.js 20 or newer is needed; this is v18\.19\.0 \(.*/node\)\.$"
        ):
            require_node()

    def test_broken(self, only_path: Path) -> None:
        program(only_path, "node", "cannot", code=127)
        with pytest.raises(SetupError, match="'node --version' does not work"):
            require_node()

    def test_without_npm(self, only_path: Path) -> None:
        program(only_path, "node", "v24.1.0")
        with pytest.raises(SetupError, match=r"^npm, which comes with Node\.js, is needed; no program 'npm'"):
            require_node()


class TestFingerprint:
    def test_unchanged_inputs_are_current(self, tmp_path: Path) -> None:
        (tmp_path / "src").mkdir()
        (tmp_path / "src" / "page.ts").write_text("1")
        stamp = tmp_path / "stamp"
        stamp.write_text(fingerprint([tmp_path / "src"]))
        assert is_current(stamp, fingerprint([tmp_path / "src"]))

    @pytest.mark.parametrize("change", ["content", "name", "addition", "removal"])
    def test_every_change_shows(self, tmp_path: Path, change: str) -> None:
        source = tmp_path / "src"
        source.mkdir()
        (source / "a.ts").write_text("1")
        (source / "b.ts").write_text("2")
        before = fingerprint([source])
        match change:
            case "content":
                (source / "a.ts").write_text("3")
            case "name":
                (source / "a.ts").rename(source / "c.ts")
            case "addition":
                (source / "c.ts").write_text("")
            case "removal":
                (source / "a.ts").unlink()
        assert fingerprint([source]) != before

    def test_without_a_stamp_nothing_is_current(self, tmp_path: Path) -> None:
        assert not is_current(tmp_path / "stamp", fingerprint([]))


def test_pip_settings_that_misplace_packages_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    environment = python_environment()
    assert "PIP_TARGET" not in environment
    assert "PYTHONPATH" not in environment
    assert environment["PIP_USER"] == "0"
    assert environment["PIP_INDEX_URL"] == "https://mirror.example/simple"
