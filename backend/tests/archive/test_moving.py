"""Moved and renamed files keep their identity: rows, instances, checksums and metadata."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from imageserver.archive import indexing
from imageserver.archive.digests import content_digest
from imageserver.archive.files import DataDirectory, FileIdentity, FoundFile, Skipped
from imageserver.archive.index_writer import Outcome
from imageserver.archive.listing import Listing
from imageserver.archive.metadata import metadata_of
from imageserver.archive.models import File, InstanceMetadata
from imageserver.archive.moving import KnownFile, Move, find_moves
from imageserver.database import Database
from tests.builders import image, to_bytes, uid, volume
from tests.folders import Folder

Look = Callable[..., Outcome]
Rows = dict[bytes, tuple[int, int | None, str | None]]


def rows(database: Database) -> Rows:
    with database.reading() as session:
        found = session.execute(select(File.path, File.id, File.instance_id, File.state)).all()
    return {row[0]: (row[1], row[2], row[3]) for row in found}


def take_checksums(database: Database, directory: DataDirectory) -> None:
    with database.writing() as session:
        for file in session.scalars(select(File)).all():
            found = FoundFile(file.path, FileIdentity(file.size, file.mtime_ns, file.inode))
            session.execute(
                update(File).where(File.id == file.id).values(sha256=content_digest(directory, found))
            )


def renamed(before: Rows, names: dict[bytes, bytes]) -> Rows:
    return {names.get(path, path): row for path, row in before.items()}


def test_renamed_files_keep_their_rows_and_are_not_read(
    database: Database, folder: Folder, look: Look, reads: list[bytes]
) -> None:
    folder.write_all(volume(4))
    look()
    before = rows(database)
    reads.clear()
    (folder.path / "deep").mkdir()
    (folder.path / "slice0001").rename(folder.path / "deep" / "one")
    (folder.path / "slice0003").rename(folder.path / "a")
    assert look().has_changed
    assert reads == []
    assert rows(database) == renamed(before, {b"slice0001": b"deep/one", b"slice0003": b"a"})
    assert not look().has_changed


def test_a_moved_folder(database: Database, folder: Folder, look: Look, reads: list[bytes]) -> None:
    folder.write_all(volume(30), prefix="old/slice")
    look()
    before = rows(database)
    reads.clear()
    (folder.path / "old").rename(folder.path / "new")
    look()
    assert reads == []
    assert rows(database) == {path.replace(b"old/", b"new/"): row for path, row in before.items()}


def test_metadata_stay(database: Database, directory: DataDirectory, folder: Folder, look: Look) -> None:
    path = folder.write("file", image())
    look()
    found = metadata_of(database, directory, uid("series", 1))
    path.rename(path.with_name("other"))
    look()
    with database.reading() as session:
        assert len(session.scalars(select(InstanceMetadata)).all()) == 1
    assert metadata_of(database, directory, uid("series", 1)) == found


def test_two_files_change_places(database: Database, folder: Folder, look: Look, reads: list[bytes]) -> None:
    first, second = folder.write_all(volume(2))
    look()
    before = rows(database)
    reads.clear()
    first.rename(folder.path / "aside")
    second.rename(first)
    (folder.path / "aside").rename(second)
    look()
    assert reads == []
    assert rows(database) == renamed(before, {b"slice0000": b"slice0001", b"slice0001": b"slice0000"})


def test_a_file_moved_over_another(
    database: Database, folder: Folder, look: Look, reads: list[bytes]
) -> None:
    first, second = folder.write_all(volume(2))
    look()
    before = rows(database)
    reads.clear()
    second.rename(first)
    look()
    assert reads == []
    assert rows(database) == {b"slice0000": before[b"slice0001"]}


def test_a_copy_moved_over_its_original(database: Database, folder: Folder, look: Look) -> None:
    original = folder.write("a", image())
    copy = folder.write("b", image())
    look()
    copy.rename(original)
    look()
    assert {path: row[2] for path, row in rows(database).items()} == {b"a": "indexed"}


def test_on_another_file_system_the_content_decides(
    database: Database, directory: DataDirectory, folder: Folder, look: Look, reads: list[bytes]
) -> None:
    path = folder.write("file", image())
    folder.write("another", image(instance=2))
    look()
    take_checksums(database, directory)
    before = rows(database)
    reads.clear()
    shutil.copy2(path, folder.path / "copy")  # another inode
    path.unlink()
    look()
    assert reads == []
    assert rows(database) == renamed(before, {b"file": b"copy"})
    assert not look().has_changed


def test_other_content_of_the_same_size_is_read(
    database: Database, directory: DataDirectory, folder: Folder, look: Look, reads: list[bytes]
) -> None:
    path = folder.write("file", image(PatientID="TEST-1"))
    look()
    take_checksums(database, directory)
    reads.clear()
    folder.write("new", image(PatientID="TEST-2"))
    path.unlink()
    look()
    assert reads == [b"new"]
    assert metadata_of(database, directory, uid("series", 1)).dataset["00100020"]["Value"] == ["TEST-2"]  # type: ignore[union-attr]


def test_a_reused_inode_with_a_coarse_time_is_read(
    database: Database, folder: Folder, look: Look, reads: list[bytes]
) -> None:
    """Unpacked archives have times in whole seconds, and a file system gives a free inode to the next file."""
    path = folder.write("file", to_bytes(image(PatientID="TEST-1")))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    look()
    reads.clear()
    path.write_bytes(to_bytes(image(PatientID="TEST-2")))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    path.rename(folder.path / "new")
    look()
    assert reads == [b"new"]


def test_a_copy_is_not_a_move(database: Database, folder: Folder, look: Look) -> None:
    path = folder.write("b", image())
    look()
    before = rows(database)
    shutil.copy2(path, folder.path / "a")
    look()
    found = rows(database)
    assert found[b"b"] == before[b"b"]
    assert found[b"a"][1:] == (None, "duplicate")


def test_a_move_into_a_folder_that_cannot_be_listed_is_no_loss(
    database: Database, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder.write("deep/file", image())
    folder.write("another", image(instance=2))
    look()
    before = rows(database)
    listing = Listing({b"another": FileIdentity(1, 2, 3)}, {b"deep": Skipped(b"deep", "unreadable", True)})
    assert path.exists()
    monkeypatch.setattr(indexing, "list_directory", lambda _directory: listing)
    look()
    assert rows(database)[b"deep/file"] == before[b"deep/file"]


def test_a_good_copy_of_a_damaged_file_is_read_anew(
    database: Database, directory: DataDirectory, folder: Folder, look: Look, reads: list[bytes]
) -> None:
    path = folder.write("file", image())
    look()
    take_checksums(database, directory)
    with database.writing() as session:
        session.execute(update(File).values(state="refused", code="integrity_mismatch"))
    reads.clear()
    shutil.copy2(path, folder.path / "restored")
    path.unlink()
    look()
    assert reads == [b"restored"]
    assert rows(database)[b"restored"][2] == "indexed"


class TestFindMoves:
    fine = FileIdentity(10, 1_500_000_001, 7)

    def test_two_files_with_one_identity_are_not_told_apart(self) -> None:
        known = [KnownFile(1, b"a", self.fine, None), KnownFile(2, b"b", self.fine, None)]
        assert find_moves(known, [FoundFile(b"c", self.fine)], lambda _: None) == []

    def test_only_files_of_the_same_size_are_read(self) -> None:
        known = [KnownFile(1, b"a", self.fine, "digest")]
        other = FoundFile(b"c", FileIdentity(11, 5, 8))
        assert find_moves(known, [other], lambda _: pytest.fail("read")) == []
        same = FoundFile(b"d", FileIdentity(10, 5, 8))
        assert find_moves(known, [other, same], lambda _: "digest") == [Move(1, b"a", same)]


def test_paths_are_any_bytes(database: Database, folder: Folder, look: Look, reads: list[bytes]) -> None:
    path = folder.write("file", image())
    look()
    reads.clear()
    path.rename(Path(os.fsdecode(os.fsencode(folder.path) + b"/\xff'\"%00")))
    look()
    assert reads == []
    assert list(rows(database)) == [b"\xff'\"%00"]
