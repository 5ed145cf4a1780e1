"""Files that are still being copied are waited for."""

import time

import pytest

from imageserver.archive.files import FileIdentity, FoundFile
from imageserver.archive.settling import Settling


def file(age: float, size: int = 1) -> FoundFile:
    return FoundFile(b"file", FileIdentity(size, time.time_ns() - int(age * 1e9), 7))


def test_an_old_file_is_read_at_once() -> None:
    assert Settling(1.0).settled([found := file(age=2)]) == [found]


def test_a_fresh_file_is_waited_for() -> None:
    assert Settling(600.0).settled([file(age=0)]) == []


@pytest.mark.parametrize("age", [0.0, -3600.0], ids=["now", "a clock in the future"])
def test_a_file_that_stood_still_between_two_looks(age: float) -> None:
    settling, found = Settling(0.05), file(age)
    if age == 0.0:
        found = FoundFile(b"file", found.identity._replace(mtime_ns=time.time_ns() + 10**12))
    assert settling.settled([found]) == []
    time.sleep(0.06)
    assert settling.settled([found]) == [found]


def test_a_growing_file_is_waited_for_again() -> None:
    settling = Settling(0.05)
    future = FileIdentity(1, time.time_ns() + 10**12, 7)
    assert settling.settled([FoundFile(b"file", future)]) == []
    time.sleep(0.06)
    assert settling.settled([FoundFile(b"file", future._replace(size=2))]) == []
