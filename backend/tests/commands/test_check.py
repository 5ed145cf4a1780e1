"""`imageserver check` names each kind of difference, and ends with 0 only where there is none."""

import json
import os
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from imageserver.archive.files import DataDirectory
from imageserver.archive.indexing import Indexer, look_once
from imageserver.archive.lease import Lease
from imageserver.archive.models import File
from imageserver.archive.scrubbing import Scrubber
from imageserver.database import Database
from imageserver.settings import Settings
from tests.builders import image, uid, volume
from tests.commands.conftest import Run
from tests.folders import Folder


@pytest.fixture
def run(run: Run) -> Run:
    """Run `imageserver check` with arguments; returns its exit code."""
    return partial(run, "check")


@pytest.fixture
def scrubbed(database: Database, folder: Folder, settings: Settings) -> list[Path]:
    """Three slices and a text, indexed, with their checksums."""
    paths = folder.write_all(volume(3))
    folder.write("junk", b"junk")
    directory = DataDirectory(settings.data_dir)
    lease = Lease(database)
    assert lease.take()
    Indexer(database, directory, lease).look()
    assert Scrubber(database, directory, lease, interval=60).step() == 3
    lease.release()
    return paths


def differences(run: Run, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, list[str]]:
    code = run("--json", *options)
    answer = json.loads(capsys.readouterr().out)
    assert answer["is_well"] == (code == 0)
    return {kind: paths for kind, paths in answer["differences"].items() if paths}


def test_all_is_well(run: Run, scrubbed: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--full") == 0
    assert capsys.readouterr().out.splitlines() == [
        "4 files in the data directory, 4 in the index",
        "3 compared with their checksum",
        "1 not shown: not_dicom",
        "all well",
    ]


def test_each_kind_of_difference(
    run: Run,
    database: Database,
    folder: Folder,
    scrubbed: list[Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    scrubbed[0].unlink()
    folder.write("slice0001", image(), age=120)
    folder.write("new\nfile", image(instance=9))
    folder.write("growing", image(instance=10), age=0)
    with database.writing() as session:
        session.execute(update(File).where(File.path == b"slice0002").values(read_by="1-former"))
        session.execute(delete(File).where(File.path == b"junk"))
    assert differences(run, capsys) == {
        "missing": ["slice0000"],
        "changed": ["slice0001"],
        "unindexed": ["junk", r"new\nfile"],
        "outdated": ["slice0002"],
    }


def test_only_the_full_check_reads_contents(
    run: Run, scrubbed: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    times = (scrubbed[1].stat().st_atime_ns, scrubbed[1].stat().st_mtime_ns)
    content = bytearray(scrubbed[1].read_bytes())
    content[-1] ^= 1
    with scrubbed[1].open("r+b") as file:
        file.write(content)
    os.utime(scrubbed[1], ns=times)
    assert run() == 0
    capsys.readouterr()
    assert differences(run, capsys, "--full") == {"mismatch": ["slice0001"]}


def test_what_the_scrub_has_found_is_told_without_reading(
    run: Run, database: Database, scrubbed: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with database.writing() as session:
        damaged = update(File).where(File.path == b"slice0000")
        session.execute(damaged.values(state="refused", code="integrity_mismatch"))
    assert run("--list") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3:] == [
        "1 mismatch: the content differs from the checksum: damaged on the disk",
        "  slice0000",
        "there are differences",
    ]


def test_rows_without_a_file(
    run: Run, database: Database, scrubbed: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    scrubbed[2].unlink()
    with database.writing() as session:
        session.execute(delete(File).where(File.path == b"slice0002"))
    assert differences(run, capsys) == {"orphaned": [uid("series", 3)]}


def test_nothing_is_changed(run: Run, database: Database, folder: Folder, scrubbed: list[Path]) -> None:
    def state() -> list[tuple[object, ...]]:
        with database.reading() as session:
            return sorted(tuple(row) for row in session.execute(select(File.id, File.path, File.scrubbed)))

    folder.write("new", image(instance=9))
    before = state()
    run("--full")
    assert state() == before


def test_beside_files_without_a_checksum(
    run: Run, database: Database, folder: Folder, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.write_all(volume(2))
    look_once(database, DataDirectory(settings.data_dir))
    assert run("--full") == 0
    assert "2 without a checksum yet" in capsys.readouterr().out


def test_a_folder_that_is_away(run: Run, folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.path.rmdir()
    assert run() == 1
    assert "cannot be read" in capsys.readouterr().err


def test_progress_on_a_terminal(
    run: Run, scrubbed: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("--full")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    run("--full")
    assert "0 of 3 files read" in capsys.readouterr().err
