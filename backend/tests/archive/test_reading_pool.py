"""Many files are read by several processes; none of them, and no file, can hold up or lose the others."""

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from imageserver.archive import header_reader, reading_pool
from imageserver.archive.files import DataDirectory, FoundFile
from imageserver.archive.reading import ReadFile
from imageserver.archive.reading_pool import ReadingPool
from tests.builders import image, volume
from tests.folders import Folder

# A process that reads as the real one does, but breaks on files with certain names.
MISBEHAVING = """
import os, sys, time
from multiprocessing.connection import Connection
from imageserver.archive.reading import read_files
from imageserver.archive.reading_process import serve

def read(directory, files):
    for found in files:
        if b"crash" in found.path:
            os.abort()
        if b"hang" in found.path:
            time.sleep(600)
    return read_files(directory, files)

serve(Connection(int(sys.argv[1])), read)
"""


def found_in(directory: DataDirectory) -> list[FoundFile]:
    return sorted(found for found in directory.walk() if isinstance(found, FoundFile))


def read_all(pool: ReadingPool, files: list[FoundFile]) -> list[ReadFile | None]:
    return [file for answer in pool.read(files) for file in answer]


def misbehaving(directory: DataDirectory, size: int = 2) -> ReadingPool:
    return ReadingPool(directory, size, [sys.executable, "-c", MISBEHAVING])


def is_running(pid: int) -> bool:
    with contextlib.suppress(OSError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header_reader, "PART_FILES", 4)


@pytest.mark.usefixtures("small_parts")
class TestOrder:
    def test_the_answers_come_in_the_order_of_the_files(
        self, directory: DataDirectory, folder: Folder
    ) -> None:
        folder.write_all(volume(30))
        folder.write("junk", b"not an image, but long enough to be looked at twice" * 9)
        files = found_in(directory)
        answers = read_all(ReadingPool(directory, 2), files)
        assert [file.path for file in answers if file] == [found.path for found in files]
        assert [file.state for file in answers if file] == ["refused"] + ["indexed"] * 30

    def test_a_file_that_is_gone_meanwhile_has_no_answer(
        self, directory: DataDirectory, folder: Folder
    ) -> None:
        folder.write_all(volume(6))
        files = found_in(directory)
        (folder.path / "slice0003").unlink()
        answers = read_all(ReadingPool(directory, 2), files)
        assert [file is None for file in answers] == [False, False, False, True, False, False]


@pytest.mark.usefixtures("small_parts")
class TestAccidents:
    def test_a_file_that_ends_its_reader_is_refused_and_no_other_is_lost(
        self, directory: DataDirectory, folder: Folder
    ) -> None:
        folder.write_all(volume(20))
        folder.write("slice0005 crash", image(series="other"))
        folder.write("slice0006 crash", image(series="other"))
        answers = read_all(misbehaving(directory), found_in(directory))
        refused = {file.path: file.code for file in answers if file and file.state == "refused"}
        assert refused == {b"slice0005 crash": "broke_reader", b"slice0006 crash": "broke_reader"}
        assert len(answers) == 22

    def test_a_file_that_takes_too_long_is_refused_and_no_other_is_lost(
        self, directory: DataDirectory, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(header_reader, "PART_SECONDS", 3.0)
        monkeypatch.setattr(header_reader, "FILE_SECONDS", 3.0)
        folder.write_all(volume(8))
        folder.write("slice0003 hang", image(series="other"))
        answers = read_all(misbehaving(directory), found_in(directory))
        assert [file.code for file in answers if file and file.state != "indexed"] == ["too_slow"]
        assert len(answers) == 9

    def test_a_reader_that_is_killed_is_replaced(self, directory: DataDirectory, folder: Folder) -> None:
        folder.write_all(volume(40))
        pool = ReadingPool(directory, 2)
        answers: list[ReadFile | None] = []
        for answer in pool.read(found_in(directory)):
            if answer and not answers:
                for pid in pool.pids():
                    os.kill(pid, signal.SIGKILL)
            answers += answer
        assert [file.state for file in answers if file] == ["indexed"] * 40

    def test_without_any_reader_the_files_are_read_all_the_same(
        self, directory: DataDirectory, folder: Folder
    ) -> None:
        folder.write_all(volume(10))
        pool = ReadingPool(directory, 2, [sys.executable, "-c", "raise SystemExit(1)"])
        assert [file.state for file in read_all(pool, found_in(directory)) if file] == ["indexed"] * 10


class TestEnd:
    def test_no_process_outlives_the_reading(self, directory: DataDirectory, folder: Folder) -> None:
        folder.write_all(volume(5))
        pool = ReadingPool(directory, 2)
        pids: list[int] = []
        for _ in pool.read(found_in(directory)):
            pids += pool.pids()
        assert pids
        assert not any(map(is_running, pids))

    def test_it_stops_at_once_when_it_is_told_so(self, directory: DataDirectory, folder: Folder) -> None:
        folder.write("hang", image())
        stopped = threading.Event()
        pool = misbehaving(directory)
        threading.Timer(1.0, stopped.set).start()
        started = time.monotonic()
        assert not any(pool.read(found_in(directory), stopped.is_set))
        assert time.monotonic() - started < 30  # a reader may take 60 for a file
        assert not any(map(is_running, pool.pids()))

    def test_who_loses_interest_leaves_no_process_behind(
        self, directory: DataDirectory, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(header_reader, "PART_FILES", 1)
        folder.write_all(volume(60))
        pool = ReadingPool(directory, 1)
        answers = pool.read(found_in(directory))
        assert next(answer for answer in answers if answer)
        pids = pool.pids()
        answers.close()
        assert not any(map(is_running, pids))

    def test_readers_know_no_setting_of_the_server(
        self, directory: DataDirectory, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IMAGESERVER_ADMIN_PASSWORD", "a canary of a secret")
        monkeypatch.setattr(header_reader, "PART_FILES", 1)
        folder.write_all(volume(60))
        pool = ReadingPool(directory, 1)
        with contextlib.closing(pool.read(found_in(directory))) as answers:
            assert next(answer for answer in answers if answer)
            (environment,) = (Path(f"/proc/{pid}/environ").read_bytes() for pid in pool.pids())
        assert b"PATH=" in environment
        assert b"canary" not in environment


def test_there_is_one_reader_for_each_processor_within_reason() -> None:
    assert [reading_pool.readers_for(number) for number in (1, 2, 64)] == [1, 2, 8]
    assert reading_pool.readers_for() >= 1
