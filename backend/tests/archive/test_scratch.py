"""Files that can be made again: whole or not at all, the oldest given up first."""

import errno
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from imageserver.archive import scratch as scratch_module
from imageserver.archive.scratch import Scratch
from imageserver.errors import StorageFull


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "volumes", 100)


def make(scratch: Scratch, digest: str, content: bytes = b"12345678") -> None:
    with scratch.make(digest, len(content)) as stream:
        assert stream is not None
        stream.write(content)


def test_a_file_is_found_when_it_is_whole(scratch: Scratch) -> None:
    with scratch.make("a", 4) as stream:
        assert stream is not None
        stream.write(b"1234")
        stream.flush()
        assert scratch.find("a") is None
        assert scratch.written_bytes("a") == 4
    path = scratch.find("a")
    assert path is not None
    assert path.read_bytes() == b"1234"
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_is_left_of_a_file_that_could_not_be_made(scratch: Scratch, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), scratch.make("a", 4):
        raise ValueError("no")
    assert list((tmp_path / "volumes").iterdir()) == []


def test_two_never_make_the_same_file(scratch: Scratch, tmp_path: Path) -> None:
    other = Scratch(tmp_path / "volumes", 100)
    with scratch.make("a", 4) as stream, other.make("a", 4) as second:
        assert stream is not None
        assert second is None
        stream.write(b"1234")
    assert other.find("a") is not None


def test_a_file_that_got_its_name_in_the_meantime_is_left_alone(
    scratch: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = scratch_module._lock

    def finish_before_the_lock(stream: BinaryIO) -> bool:
        part = tmp_path / "volumes" / "a.part"
        part.write_bytes(b"1234")  # by another process, which has just ended its work
        part.rename(part.with_suffix(".volume"))
        return lock(stream)

    monkeypatch.setattr(scratch_module, "_lock", finish_before_the_lock)
    with scratch.make("a", 4) as stream:
        assert stream is None
    path = scratch.find("a")
    assert path is not None
    assert path.read_bytes() == b"1234"


def test_the_file_that_was_used_the_longest_time_ago_makes_room(scratch: Scratch, tmp_path: Path) -> None:
    for age, name in enumerate(("new", "used", "old")):
        make(scratch, name, b"x" * 30)
        os.utime(tmp_path / "volumes" / f"{name}.volume", (1e9 - age, 1e9 - age))
    os.utime(tmp_path / "volumes" / "used.volume", (1, 1))
    assert scratch.find("used") is not None  # by which it becomes the youngest
    make(scratch, "more", b"x" * 30)
    assert {path.stem for path in (tmp_path / "volumes").iterdir()} == {"new", "used", "more"}


def test_more_than_there_may_be(scratch: Scratch) -> None:
    make(scratch, "a")
    with pytest.raises(StorageFull), scratch.make("b", 101):
        pass
    assert scratch.find("b") is None


def test_a_full_disk(scratch: Scratch, tmp_path: Path) -> None:
    with pytest.raises(StorageFull), scratch.make("a", 4):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list((tmp_path / "volumes").iterdir()) == []


def test_other_faults_of_the_disk_are_not_called_full(scratch: Scratch) -> None:
    with pytest.raises(OSError, match="Input/output"), scratch.make("a", 4):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_what_former_processes_left_is_removed_but_not_what_is_being_made(
    scratch: Scratch, tmp_path: Path
) -> None:
    make(scratch, "a")
    (tmp_path / "volumes" / "b.part").write_bytes(b"half")
    (tmp_path / "volumes" / "other").write_bytes(b"not ours")
    with scratch.make("c", 4):
        Scratch(tmp_path / "volumes", 100).clear()
        assert {path.name for path in (tmp_path / "volumes").iterdir()} == {"c.part", "other"}


def test_a_process_removes_what_it_made(scratch: Scratch, tmp_path: Path) -> None:
    make(scratch, "a")
    other = Scratch(tmp_path / "volumes", 100)
    make(other, "b")
    scratch.close()
    assert {path.stem for path in (tmp_path / "volumes").iterdir()} == {"b"}


def test_nothing_to_remove(scratch: Scratch) -> None:
    scratch.clear()
    scratch.close()
