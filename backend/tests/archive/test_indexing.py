"""The index follows the data directory, and never believes that a vanished folder was emptied on purpose."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from imageserver.archive import batches, index_writer, indexing, reading
from imageserver.archive.files import DataDirectory, FileIdentity, FoundFile, Skipped
from imageserver.archive.index_writer import Outcome
from imageserver.archive.indexing import look_once
from imageserver.archive.lease import Lease
from imageserver.archive.listing import Listing
from imageserver.archive.models import File, Instance, Series, Study
from imageserver.archive.volumes import IndexStatus, Volume, get_index_status, get_volume
from imageserver.database import Database
from imageserver.errors import StorageFull
from tests.builders import image, to_bytes, uid, volume
from tests.folders import Folder

Look = Callable[..., Outcome]


def status(database: Database) -> IndexStatus:
    with database.reading() as session:
        return get_index_status(session)


def count(database: Database, table: type) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def the_volume(database: Database, series: str = "series") -> Volume:
    with database.reading() as session:
        found = get_volume(session, uid(series))
    assert found is not None
    return found


def files_by_state(database: Database) -> dict[str, dict[bytes, str | None]]:
    found: dict[str, dict[bytes, str | None]] = {}
    with database.reading() as session:
        for file in session.scalars(select(File)):
            found.setdefault(file.state, {})[file.path] = file.code
    return found


def middle_uid(database: Database) -> str:
    middle = the_volume(database).arrangement.middle
    assert middle is not None
    return middle.sop_instance_uid


class TestWhatIsFound:
    def test_an_empty_folder_is_ready(self, database: Database, look: Look) -> None:
        look()
        assert status(database)[:4] == ("ready", 0, 0, 0)

    def test_a_missing_folder_is_unavailable(self, database: Database, folder: Folder, look: Look) -> None:
        folder.path.rmdir()
        look()
        assert status(database)[:4] == ("unavailable", 0, 0, 0)

    def test_a_volume(self, database: Database, folder: Folder, look: Look) -> None:
        folder.write_all(volume(5))
        look()
        found = the_volume(database)
        assert (found.summary.slice_count, found.summary.verdict) == (5, "volume")
        assert found.patient["name"] == "Doe, Jane"
        assert status(database)[:4] == ("ready", 5, 5, 0)

    def test_junk_is_refused_with_its_reason_and_the_rest_works(
        self, database: Database, folder: Folder, look: Look
    ) -> None:
        folder.write_all(volume(3))
        whole = to_bytes(image(instance=99))
        folder.write("empty", b"")
        folder.write("text", b"not an image, but long enough to be looked at twice")
        folder.write("zip", b"PK\x03\x04" + bytes(200))
        folder.write("cut header", whole[:300])
        folder.write("random", bytes(range(256)) * 8)
        look()
        refused = files_by_state(database)["refused"]
        assert set(refused) == {b"empty", b"text", b"zip", b"cut header", b"random"}
        assert all(refused.values())
        assert status(database)[:4] == ("ready", 8, 3, 5)
        assert the_volume(database).summary.slice_count == 3

    def test_no_value_of_a_file_stands_in_a_reason(
        self, database: Database, folder: Folder, look: Look
    ) -> None:
        folder.write("cut", to_bytes(image(PatientName="Secret^Name"))[:-90])
        look()
        with database.reading() as session:
            (reason,) = session.scalars(select(File.reason))
        assert reason
        assert "Secret" not in reason

    def test_a_dicomdir_is_not_followed(self, database: Database, folder: Folder, look: Look) -> None:
        directory = image(SOPClassUID="1.2.840.10008.1.3.10", PixelData=None, Rows=None)
        folder.write("DICOMDIR", directory)
        look()
        assert files_by_state(database) == {"skipped": {b"DICOMDIR": "dicomdir"}}
        assert status(database)[:4] == ("ready", 1, 0, 0)

    def test_links_are_listed_as_skipped(self, database: Database, folder: Folder, look: Look) -> None:
        folder.write_all(volume(1))
        (folder.path / "link").symlink_to("slice0000")
        look()
        assert files_by_state(database)["skipped"] == {b"link": "symbolic_link"}
        assert not look().has_changed

    def test_file_names_do_not_decide_the_order(self, database: Database, folder: Folder, look: Look) -> None:
        slices = volume(5)
        for name, dataset in zip(("c", "a", "e", "b", "d"), slices, strict=True):
            folder.write(name, dataset)
        look()
        assert middle_uid(database) == slices[2].SOPInstanceUID

    def test_files_without_uids_are_all_kept(self, database: Database, folder: Folder, look: Look) -> None:
        slices = volume(3)
        for dataset in slices:
            del dataset.SOPInstanceUID
        folder.write_all(slices)
        look()
        assert the_volume(database).summary.slice_count == 3


class TestChanges:
    def test_an_unchanged_folder_is_not_read_again(
        self, database: Database, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.write_all(volume(3))
        folder.write("junk", b"junk")
        look()
        before = status(database)
        monkeypatch.setattr(reading, "read_file", lambda *_: pytest.fail("a file was read again"))
        assert not look().has_changed
        assert status(database) == before

    def test_a_new_file(self, database: Database, folder: Folder, look: Look) -> None:
        slices = volume(4)
        folder.write_all(slices[:3])
        look()
        folder.write("later", slices[3])
        assert look().has_changed
        assert the_volume(database).summary.slice_count == 4

    def test_a_removed_file(self, database: Database, folder: Folder, look: Look) -> None:
        paths = folder.write_all(volume(3))
        look()
        paths[0].unlink()
        look()
        assert the_volume(database).summary.slice_count == 2
        assert count(database, File) == 2

    def test_a_removed_series_leaves_nothing(self, database: Database, folder: Folder, look: Look) -> None:
        folder.write_all(volume(2))
        path = folder.write("other", image(series="other"))
        look()
        path.unlink()
        look()
        assert (count(database, Series), count(database, Study), count(database, Instance)) == (1, 1, 2)

    def test_a_changed_file_is_read_again(self, database: Database, folder: Folder, look: Look) -> None:
        folder.write_all(volume(2))
        folder.write("changing", image(series="a", PatientName="Old"))
        look()
        folder.write("changing", image(series="a", PatientName="Newer"), age=60)
        look()
        assert the_volume(database, "a").patient["name"] == "Newer"
        assert the_volume(database, "a").patient["other_names"] == []

    def test_a_file_that_became_junk(self, database: Database, folder: Folder, look: Look) -> None:
        paths = folder.write_all(volume(3))
        look()
        paths[1].write_bytes(b"junk now")
        os.utime(paths[1], (1e9, 1e9))
        look()
        assert the_volume(database).summary.slice_count == 2
        assert status(database)[:4] == ("ready", 3, 2, 1)

    def test_a_moved_file(self, database: Database, folder: Folder, look: Look) -> None:
        slices = volume(3)
        paths = folder.write_all(slices)
        look()
        paths[1].rename(folder.path / "moved")
        look()
        assert the_volume(database).summary.slice_count == 3
        assert files_by_state(database) == {
            "indexed": {b"slice0000": None, b"moved": None, b"slice0002": None}
        }

    def test_a_file_that_is_being_copied_is_waited_for(
        self, database: Database, directory: DataDirectory, folder: Folder
    ) -> None:
        lease = Lease(database)
        lease.take()
        indexer = indexing.Indexer(database, directory, lease)
        whole = to_bytes(image())
        path = folder.write("copying", whole[:200], age=0)
        assert indexer.look() == Outcome("building", has_changed=True, is_settling=True)
        assert files_by_state(database) == {}
        path.write_bytes(whole)
        os.utime(path, (1e9, 1e9))
        assert indexer.look().state == "ready"
        assert files_by_state(database) == {"indexed": {b"copying": None}}

    def test_work_in_batches_gives_the_same_index(
        self, database: Database, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(batches, "BATCH_FILES", 2)
        slices = volume(7)
        folder.write_all(slices)
        look()
        assert middle_uid(database) == slices[3].SOPInstanceUID
        assert status(database)[:4] == ("ready", 7, 7, 0)


class TestAFolderThatVanished:
    @pytest.mark.parametrize("way", ["emptied", "removed", "replaced by a file"])
    def test_the_index_is_kept(self, database: Database, folder: Folder, look: Look, way: str) -> None:
        folder.write_all(volume(3))
        look()
        shutil.rmtree(folder.path)
        if way == "emptied":
            folder.path.mkdir()
        elif way == "replaced by a file":
            folder.path.write_bytes(b"")
        assert look().state == "unavailable"
        assert count(database, Instance) == 3
        assert status(database).indexed == 3

    def test_the_same_index_serves_when_it_comes_back(
        self, database: Database, folder: Folder, look: Look, tmp_path: Path
    ) -> None:
        folder.write_all(volume(3))
        look()
        folder.path.rename(tmp_path / "elsewhere")
        look()
        (tmp_path / "elsewhere").rename(folder.path)
        assert look().state == "ready"
        assert the_volume(database).summary.slice_count == 3

    def test_it_is_forgotten_when_told_so(self, database: Database, folder: Folder, look: Look) -> None:
        for path in folder.write_all(volume(3)):
            path.unlink(missing_ok=True)
        folder.write_all(volume(3))
        look()
        shutil.rmtree(folder.path)
        folder.path.mkdir()
        assert look(forget_missing=True).state == "ready"
        assert (count(database, Instance), count(database, File), count(database, Series)) == (0, 0, 0)

    def test_another_folder_in_the_settings_is_no_vanished_one(
        self, database: Database, folder: Folder, look: Look, tmp_path: Path
    ) -> None:
        folder.write_all(volume(3))
        look()
        (tmp_path / "another").mkdir()
        outcome = look_once(database, DataDirectory(tmp_path / "another"))
        assert outcome is not None
        assert outcome.state == "ready"
        assert count(database, Instance) == 0

    def test_a_folder_that_cannot_be_listed_keeps_its_files(
        self, database: Database, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.write_all(volume(3), prefix="locked/slice")
        folder.write("open", image(series="other"))
        look()
        listing = Listing(
            {b"open": dict(_identities(folder))[b"open"]},
            {b"locked": Skipped(b"locked", "unreadable", is_directory=True)},
        )
        monkeypatch.setattr(indexing, "list_directory", lambda _directory: listing)
        look()
        assert count(database, Instance) == 4


def found_in(directory: DataDirectory) -> list[FoundFile]:
    return sorted(found for found in directory.walk() if isinstance(found, FoundFile))


def _identities(folder: Folder) -> list[tuple[bytes, FileIdentity]]:
    return [(f.path, f.identity) for f in DataDirectory(folder.path).walk() if isinstance(f, FoundFile)]


class TestFailures:
    def test_an_unexpected_error_in_one_file_keeps_no_other_out(
        self, database: Database, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.write_all(volume(3))
        read = reading.read_file

        def fail_once(directory: DataDirectory, found: FoundFile) -> reading.ReadFile:
            if found.path == b"slice0001":
                raise ZeroDivisionError
            return read(directory, found)

        monkeypatch.setattr(reading, "read_file", fail_once)
        look()
        assert status(database)[:4] == ("ready", 3, 2, 1)

    def test_many_files_are_read_by_processes_with_the_same_result(
        self, database: Database, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(batches, "MANY_FILES", 10)
        monkeypatch.setattr(batches, "BATCH_FILES", 7)
        folder.write_all(volume(20))
        folder.write_all(volume(20), prefix="copy/slice")
        folder.write("text", b"not an image, but long enough to be looked at twice")
        look()
        assert status(database)[:4] == ("ready", 41, 40, 1)
        assert set(files_by_state(database)["duplicate"]) == {f"slice{i:04}".encode() for i in range(20)}
        assert the_volume(database).summary.slice_count == 20

    def test_the_lease_is_kept_while_nothing_can_be_read(
        self, database: Database, directory: DataDirectory, folder: Folder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(batches, "BATCH_SECONDS", 0.0)
        folder.write_all(volume(2))
        lease = Lease(database)
        assert lease.take()
        indexer = indexing.Indexer(database, directory, lease)
        kept: list[int] = []
        keep = lease.keep

        def note(session: Session) -> None:
            kept.append(indexer.progress.read)
            keep(session)

        monkeypatch.setattr(lease, "keep", note)
        waiting = [*([[]] * 10), *([file] for file in reading.read_files(directory, found_in(directory)))]
        monkeypatch.setattr(batches.Batches, "_parts", lambda _self, _files: iter(waiting))
        before = len(kept)
        indexer.look()
        assert kept[before:].count(0) >= 10
        assert status(database)[:4] == ("ready", 2, 2, 0)
        lease.release()

    def test_after_a_full_disk_the_next_look_continues(
        self, database: Database, folder: Folder, look: Look, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.write_all(volume(3))

        def full(*_arguments: object) -> None:
            raise StorageFull("no room")

        with monkeypatch.context() as patch:
            patch.setattr(index_writer, "add_files", full)
            with pytest.raises(StorageFull):
                look()
        look()
        assert status(database)[:4] == ("ready", 3, 3, 0)

    def test_a_second_process_leaves_the_work_to_the_first(
        self, database: Database, directory: DataDirectory, folder: Folder
    ) -> None:
        folder.write_all(volume(2))
        first = Lease(database)
        assert first.take()
        assert look_once(database, directory) is None
        first.release()
        assert look_once(database, directory) is not None
        assert count(database, Instance) == 2
