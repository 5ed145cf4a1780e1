"""What of the data directory is read, and that a file which changed is never taken for the indexed one."""

import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from imageserver.archive.files import DataDirectory, FileIdentity, FoundFile, Skipped
from imageserver.errors import DataDirectoryUnavailable, FileGone, FileReplaced
from tests.folders import Folder


def found_files(directory: DataDirectory) -> dict[bytes, FileIdentity]:
    return dict(found for found in directory.walk() if isinstance(found, FoundFile))


def skipped(directory: DataDirectory) -> dict[bytes, str]:
    return {found.path: found.code for found in directory.walk() if isinstance(found, Skipped)}


def open_files_of(folder: Folder) -> int:
    """Count the files of a folder that this process has open."""
    links = []
    for one in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # what is listed may be closed meanwhile
            links.append(one.readlink())
    return sum(link.parent == folder.path for link in links)


class TestWalk:
    @pytest.mark.parametrize(
        "name",
        [
            "file",
            "a/b/c/d.dcm",
            "UPPER.DCM",
            "with space",
            "Größe/画像",
            "x" * 255,
            "back\\slash",
            "new\nline",
        ],
    )
    def test_every_name_is_found(self, folder: Folder, directory: DataDirectory, name: str) -> None:
        folder.write(name, b"content")
        assert list(found_files(directory)) == [os.fsencode(name)]

    def test_a_name_that_is_no_text(self, folder: Folder, directory: DataDirectory) -> None:
        name = b"caf\xe9"
        (Path(os.fsdecode(os.fsencode(folder.path) + b"/" + name))).write_bytes(b"content")
        ((path, identity),) = found_files(directory).items()
        assert path == name
        with directory.open(path, identity) as stream:
            assert stream.read() == b"content"

    @pytest.mark.parametrize(
        "name",
        [
            ".hidden",
            ".DS_Store",
            ".git/config",
            "Thumbs.db",
            "__MACOSX/a",
            "a.dcm.part",
            "a~",
            ".a.dcm.XyZ12",
        ],
    )
    def test_hidden_names_and_droppings_are_left_out(
        self, folder: Folder, directory: DataDirectory, name: str
    ) -> None:
        folder.write(name, b"content")
        assert list(directory.walk()) == []

    def test_links_are_not_followed(self, folder: Folder, directory: DataDirectory, tmp_path: Path) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "file").write_bytes(b"secret")
        (folder.path / "folder").symlink_to(tmp_path / "outside")
        (folder.path / "file").symlink_to(tmp_path / "outside" / "file")
        (folder.path / "loop").symlink_to(".")
        assert found_files(directory) == {}
        assert set(skipped(directory).values()) == {"symbolic_link"}

    def test_the_directory_itself_may_be_a_link(self, folder: Folder, tmp_path: Path) -> None:
        folder.write("file", b"content")
        (tmp_path / "link").symlink_to(folder.path)
        assert list(found_files(DataDirectory(tmp_path / "link"))) == [b"file"]

    def test_what_is_no_file_is_skipped(self, folder: Folder, directory: DataDirectory) -> None:
        os.mkfifo(folder.path / "fifo")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(folder.path / "socket"))
        assert skipped(directory) == {b"fifo": "not_a_file", b"socket": "not_a_file"}

    def test_a_missing_directory(self, tmp_path: Path) -> None:
        with pytest.raises(DataDirectoryUnavailable) as error:
            list(DataDirectory(tmp_path / "none").walk())
        assert str(tmp_path) not in error.value.detail

    def test_a_file_in_place_of_the_directory(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(DataDirectoryUnavailable):
            list(DataDirectory(tmp_path / "file").walk())


class TestOpen:
    @pytest.fixture
    def identity(self, folder: Folder, directory: DataDirectory) -> FileIdentity:
        folder.write("file", b"content")
        return found_files(directory)[b"file"]

    def test_the_indexed_file(self, directory: DataDirectory, identity: FileIdentity) -> None:
        with directory.open(b"file", identity) as stream:
            assert stream.read() == b"content"

    def test_a_removed_file(self, folder: Folder, directory: DataDirectory, identity: FileIdentity) -> None:
        folder.write("another", b"")
        (folder.path / "file").unlink()
        with pytest.raises(FileGone):
            directory.check(b"file", identity)

    def test_a_folder_that_became_empty_is_no_removed_file(
        self, folder: Folder, directory: DataDirectory, identity: FileIdentity
    ) -> None:
        (folder.path / "file").unlink()
        with pytest.raises(DataDirectoryUnavailable):
            directory.check(b"file", identity)

    @pytest.mark.parametrize("content", [b"other c", b"longer content", b""])
    def test_a_changed_file(
        self, folder: Folder, directory: DataDirectory, identity: FileIdentity, content: bytes
    ) -> None:
        folder.write("file", content, age=10)
        with pytest.raises(FileReplaced):
            directory.check(b"file", identity)

    def test_a_file_replaced_by_one_of_the_same_size_and_time(
        self, folder: Folder, directory: DataDirectory, identity: FileIdentity
    ) -> None:
        twin = folder.write("twin", b"CONTENT")
        os.utime(twin, ns=(identity.mtime_ns, identity.mtime_ns))
        twin.rename(folder.path / "file")
        with pytest.raises(FileReplaced):
            directory.check(b"file", identity)

    def test_a_file_that_changes_while_it_is_read(
        self, folder: Folder, directory: DataDirectory, identity: FileIdentity
    ) -> None:
        def read() -> None:
            with directory.open(b"file", identity) as stream:
                stream.read(3)
                folder.write("file", b"conTENT, and more")

        with pytest.raises(FileReplaced):
            read()

    def test_an_error_about_half_a_file_is_not_believed(
        self, folder: Folder, directory: DataDirectory, identity: FileIdentity
    ) -> None:
        def read() -> None:
            with directory.open(b"file", identity):
                folder.write("file", b"con", age=1)
                raise ValueError("the file is cut")

        with pytest.raises(FileReplaced):
            read()

    def test_a_fifo_in_its_place_does_not_hang(
        self, folder: Folder, directory: DataDirectory, identity: FileIdentity
    ) -> None:
        (folder.path / "file").unlink()
        os.mkfifo(folder.path / "file")
        with pytest.raises(FileReplaced):
            directory.check(b"file", identity)

    def test_a_link_in_its_place(
        self, folder: Folder, directory: DataDirectory, identity: FileIdentity, tmp_path: Path
    ) -> None:
        (folder.path / "file").rename(tmp_path / "outside")
        (folder.path / "file").symlink_to(tmp_path / "outside")
        with pytest.raises(FileGone):
            directory.check(b"file", identity)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_file_without_the_right_to_read(
        self, folder: Folder, directory: DataDirectory, identity: FileIdentity
    ) -> None:
        (folder.path / "file").chmod(0)
        with pytest.raises(DataDirectoryUnavailable):
            directory.check(b"file", identity)


class TestReadStarts:
    def test_many_files_and_what_is_wrong_with_some(self, folder: Folder, directory: DataDirectory) -> None:
        for number in range(40):
            folder.write(f"file{number:02}", b"%02d and more" % number)
        files = sorted(found_files(directory).items())
        (folder.path / "file05").unlink()
        folder.write("file17", b"another", age=10)
        starts = list(directory.read_starts(files, 2))
        assert {number: type(one) for number, one in enumerate(starts) if not isinstance(one, bytes)} == {
            5: FileGone,
            17: FileReplaced,
        }
        whole = [number for number in range(40) if number not in (5, 17)]
        assert [starts[number] for number in whole] == [b"%02d" % number for number in whole]

    @pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks at open files as Linux lists them")
    def test_a_few_are_open_at_a_time_and_none_afterwards(
        self, folder: Folder, directory: DataDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(40):
            folder.write(f"file{number:02}", b"content")
        announced = []
        monkeypatch.setattr(
            "imageserver.archive.files.announce", lambda *_: announced.append(open_files_of(folder))
        )
        for _ in directory.read_starts(sorted(found_files(directory).items()), 1):
            assert open_files_of(folder) == 0
        assert announced == [16] * 16 + [16] * 16 + [8] * 8

    def test_a_file_that_changes_between_opening_and_reading(
        self, folder: Folder, directory: DataDirectory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.write("file", b"content")
        files = list(found_files(directory).items())
        monkeypatch.setattr(
            "imageserver.archive.files.announce", lambda *_: folder.write("file", b"another", age=10)
        )
        [start] = directory.read_starts(files, 4)
        assert isinstance(start, FileReplaced)


class TestReadFiles:
    def test_whole_files_and_what_is_wrong_with_some(self, folder: Folder, directory: DataDirectory) -> None:
        for number in range(5):
            folder.write(f"file{number}", b"%d and more" % number)
        files = sorted(found_files(directory).items())
        (folder.path / "file1").unlink()
        folder.write("file3", b"another", age=10)
        found = directory.read_files(files)
        assert [one for one in found if isinstance(one, bytes)] == [b"%d and more" % n for n in (0, 2, 4)]
        assert [type(found[1]), type(found[3])] == [FileGone, FileReplaced]

    def test_a_folder_that_became_empty(self, folder: Folder, directory: DataDirectory) -> None:
        folder.write("file", b"content")
        files = list(found_files(directory).items())
        (folder.path / "file").unlink()
        [found] = directory.read_files(files)
        assert isinstance(found, DataDirectoryUnavailable)
