"""Where the tests' PostgreSQL comes from."""

import os
from pathlib import Path

import pytest

from scripts import postgres
from scripts.preparation import SetupError


def server_folder(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in postgres.PROGRAMS:
        (folder / name).touch(mode=0o755)
    return folder


@pytest.fixture(autouse=True)
def bare_machine(programs_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing on PATH, no distribution's folders, an ordinary user, no package manager."""
    monkeypatch.setenv("PATH", str(programs_folder / "empty"))
    monkeypatch.setattr(postgres, "SERVER_FOLDERS", (f"{programs_folder}/usr/lib/postgresql/*/bin",))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(postgres.debian, "install", lambda _: False)


def test_one_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server_folder(tmp_path / "usr/lib/postgresql/17/bin")
    on_path = server_folder(tmp_path / "opt/bin")
    monkeypatch.setenv("PATH", str(on_path))
    assert postgres.find_server_programs() == on_path


def test_of_the_distribution_s_versions_the_newest(tmp_path: Path) -> None:
    for version in ("9.6", "17", "15"):
        server_folder(tmp_path / f"usr/lib/postgresql/{version}/bin")
    assert postgres.find_server_programs() == tmp_path / "usr/lib/postgresql/17/bin"


def test_clients_alone_are_not_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "usr/lib/postgresql/17/bin").mkdir(parents=True)
    (tmp_path / "usr/lib/postgresql/17/bin/pg_isready").touch()
    monkeypatch.setattr(postgres, "_programs_of_wheel", lambda: Path("/wheel"))
    assert postgres.find_server_programs() == Path("/wheel")


def test_root_gets_the_distribution_s_package_never_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "usr/lib/postgresql/15/bin"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(
        postgres.debian, "install", lambda package: server_folder(folder) and package == "postgresql"
    )
    monkeypatch.setattr(postgres, "_programs_of_wheel", lambda: pytest.fail("root must not use the wheel"))
    assert postgres.find_server_programs() == folder


def test_root_without_a_package_manager_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(SetupError, match="apt-get install postgresql") as refused:
        postgres.find_server_programs()
    assert "\n" not in str(refused.value)
