"""Where the journeys' Chromium comes from."""

from pathlib import Path

import pytest

from scripts import chromium
from scripts.preparation import SetupError


@pytest.fixture(autouse=True)
def bare_machine(programs_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(programs_folder))
    monkeypatch.delenv("CHROMIUM_PATH", raising=False)
    monkeypatch.setattr(chromium, "_of_playwright", lambda: None)
    monkeypatch.setattr(chromium.debian, "install", lambda _: False)


def program(path: Path) -> Path:
    path.touch(mode=0o755)
    return path


def test_the_given_one_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "chromium")
    given = program(tmp_path / "mine")
    monkeypatch.setenv("CHROMIUM_PATH", str(given))
    assert chromium.find_chromium() == given


def test_a_given_one_that_is_not_there_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "chromium")
    monkeypatch.setenv("CHROMIUM_PATH", str(tmp_path / "mine"))
    with pytest.raises(SetupError, match="CHROMIUM_PATH names no program"):
        chromium.find_chromium()


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_one_on_path(tmp_path: Path, name: str) -> None:
    installed = program(tmp_path / name)
    assert chromium.find_chromium() == installed


def test_playwright_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "_of_playwright", lambda: Path("/cache/chrome"))
    assert chromium.find_chromium() == Path("/cache/chrome")


def test_none_is_one_line_that_says_what_to_install() -> None:
    with pytest.raises(SetupError, match="apt-get install chromium") as refused:
        chromium.find_chromium()
    assert "\n" not in str(refused.value)
