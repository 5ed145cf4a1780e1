"""One SOP Instance UID in several files."""

from collections.abc import Callable

import numpy as np

from imageserver.archive.index_writer import Outcome
from imageserver.database import Database
from tests.archive.test_indexing import files_by_state, status, the_volume
from tests.builders import image, to_bytes, volume
from tests.folders import Folder

Look = Callable[..., Outcome]


def warning_codes(database: Database) -> list[str]:
    return [warning["code"] for warning in the_volume(database).warnings]


def test_the_same_bytes_are_one_instance(database: Database, folder: Folder, look: Look) -> None:
    folder.write_all(volume(3), prefix="a/")
    folder.write_all(volume(3), prefix="copy of a/")
    look()
    assert the_volume(database).summary.slice_count == 3
    assert set(files_by_state(database)["duplicate"]) == {
        b"copy of a/0000",
        b"copy of a/0001",
        b"copy of a/0002",
    }
    assert (warning_codes(database), status(database)[:4]) == ([], ("ready", 6, 6, 0))


def test_other_bytes_at_the_same_place_are_reported_and_left_out(
    database: Database, folder: Folder, look: Look
) -> None:
    folder.write("a", image(PatientName="First"))
    folder.write("b", image(PatientName="Second"))
    look()
    found = the_volume(database)
    assert (found.summary.slice_count, found.patient["name"]) == (1, "First")
    assert found.patient["other_names"] == []
    (warning,) = found.warnings
    assert warning["code"] == "sop_instance_uid_conflict"
    assert warning["sop_instance_uids"] == [found.arrangement.frames[0].sop_instance_uid]
    assert files_by_state(database)["conflict"] == {b"b": "conflict"}


def test_another_picture_under_the_same_uid_is_shown_under_a_derived_one(
    database: Database, folder: Folder, look: Look
) -> None:
    slices = volume(3)
    for dataset in slices:
        dataset.SOPInstanceUID = slices[0].SOPInstanceUID
    folder.write_all(slices)
    look()
    assert the_volume(database).summary.slice_count == 3
    assert len({frame.sop_instance_uid for frame in the_volume(database).arrangement.frames}) == 3
    assert warning_codes(database) == ["derived_sop_instance_uid"]
    assert not look().has_changed


def without_uids(value: int, stored_uid: str | None) -> bytes:
    """A secondary capture that says nothing about itself but its pixels."""
    names = ("SOPInstanceUID", "InstanceNumber", "ImagePositionPatient")
    dataset = image(np.full((8, 8), value, np.uint8), **dict.fromkeys(names))
    return to_bytes(dataset, media_storage_uid=stored_uid)


def test_the_media_storage_uid_stands_in_for_a_missing_one(
    database: Database, folder: Folder, look: Look
) -> None:
    # PS3.10 table 7.1-1: Media Storage SOP Instance UID is the SOP Instance UID of the data set.
    for number in (1, 2, 3):
        folder.write(str(number), without_uids(number, f"1.2.3.{number}"))
    look()
    frames = the_volume(database).arrangement.frames
    assert sorted(frame.sop_instance_uid for frame in frames) == ["1.2.3.1", "1.2.3.2", "1.2.3.3"]
    assert warning_codes(database) == ["derived_uid"]


def test_files_without_any_uid_are_each_shown(database: Database, folder: Folder, look: Look) -> None:
    for number in (1, 2, 3):
        folder.write(str(number), without_uids(number, None))
    folder.write("copy", without_uids(3, None))
    look()
    frames = the_volume(database).arrangement.frames
    assert len({frame.sop_instance_uid for frame in frames}) == 3
    assert files_by_state(database)["duplicate"] == {b"copy": "duplicate"}
    assert not look().has_changed


def test_derived_uids_stay_the_same(database: Database, folder: Folder, look: Look) -> None:
    slices = volume(3)
    for dataset in slices:
        dataset.SOPInstanceUID = slices[0].SOPInstanceUID
    folder.write_all(slices)
    look()
    before = the_volume(database).arrangement.frames
    for path in sorted(folder.path.iterdir()):
        path.rename(path.with_name("moved " + path.name))
    look()
    assert the_volume(database).arrangement.frames == before


def test_a_copy_takes_the_place_of_a_removed_file(database: Database, folder: Folder, look: Look) -> None:
    first = folder.write("a", image())
    folder.write("b", image())
    look()
    first.unlink()
    look()
    assert files_by_state(database) == {"indexed": {b"b": None}}
    assert the_volume(database).summary.slice_count == 1


def test_a_conflicting_file_takes_the_place_of_a_removed_one(
    database: Database, folder: Folder, look: Look
) -> None:
    first = folder.write("a", image(PatientName="First"))
    folder.write("b", image(PatientName="Second"))
    look()
    first.unlink()
    look()
    assert (the_volume(database).patient["name"], warning_codes(database)) == ("Second", [])


def test_a_copy_that_arrives_later(database: Database, folder: Folder, look: Look) -> None:
    folder.write("b", image(PatientName="First"))
    look()
    folder.write("a", image(PatientName="Second"))
    look()
    assert the_volume(database).patient["name"] == "First", "what is shown does not change by itself"
    assert warning_codes(database) == ["sop_instance_uid_conflict"]
