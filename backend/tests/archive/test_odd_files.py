"""Files that break the standard, or are older than it, and hold a picture: each is shown, and right.

What each form means is said by PS3.5 6.2.2 and 7.2, PS3.10 7.1, and ACR-NEMA 300-1988.
"""

from collections.abc import Callable

import numpy as np
import pytest
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from imageserver.archive.files import DataDirectory
from imageserver.archive.reading import INDEXED, ReadFile, read_file
from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.identifiers import is_valid_uid
from imageserver.dicom.reading import Header, read_header
from imageserver.dicom.rendering import render_frame
from tests import builders
from tests.builders import image, item, uid, with_bytes
from tests.folders import Folder

Read = Callable[[bytes], tuple[ReadFile, Header, np.ndarray]]


@pytest.fixture
def read(folder: Folder, directory: DataDirectory) -> Read:
    """Function that puts a file into the data directory and reads it as the index and the picture do."""

    def run(data: bytes) -> tuple[ReadFile, Header, np.ndarray]:
        path = folder.write("odd", data)
        [found] = directory.walk()
        with path.open("rb") as stream:
            header = read_header(stream)
            frame = decode_frame(stream, header, 0, None)  # type: ignore[arg-type]  # nothing is compressed
            return read_file(directory, found), header, render_frame(frame, header, 0).display_values  # type: ignore[arg-type]

    return run


@pytest.fixture
def picture(read: Read) -> np.ndarray:
    """What the same pixels look like in a proper file."""
    return read(builders.to_bytes(image()))[2]


def codes(file: ReadFile) -> set[str]:
    assert file.instance is not None
    return {warning["code"] for warning in file.instance.warnings}


class TestUids:
    @pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
    @pytest.mark.parametrize(
        "value",
        [
            None,
            b"",
            b"\0\0",
            b"  ",
            b"1.2.x",
            b"not a uid",
            b"1." * 40,
            b"../../etc/passwd",
            b"1.2.\xff",
            b"1/2",
        ],
    )
    def test_one_that_is_no_address_is_derived(
        self, read: Read, picture: np.ndarray, keyword: str, value: bytes | None
    ) -> None:
        dataset = image(**{keyword: None})
        if value is not None:
            with_bytes(dataset, keyword, value)
        if keyword == "SOPInstanceUID":
            dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        file, _, shown = read(builders.to_bytes(dataset, media_storage_uid="x"))
        assert file.state == INDEXED
        assert file.instance is not None
        addresses = {
            "StudyInstanceUID": file.instance.study["study_instance_uid"],
            "SeriesInstanceUID": file.instance.series["series_instance_uid"],
            "SOPInstanceUID": file.instance.sop_instance_uid,
        }
        assert all(map(is_valid_uid, addresses.values()))
        assert addresses[keyword].startswith("2.25.")
        assert "derived_uid" in codes(file)
        assert np.array_equal(shown, picture)

    @pytest.mark.parametrize("value", [b"1.2.3\0", b"1.2.3 ", b" 1.2.3", b"1.2.3\0\0\0"])
    def test_padding_is_no_part_of_it(self, read: Read, value: bytes) -> None:
        file, _, _ = read(builders.to_bytes(with_bytes(image(), "SeriesInstanceUID", value)))
        assert file.instance is not None
        assert file.instance.series["series_instance_uid"] == "1.2.3"
        assert "derived_uid" not in codes(file)

    @pytest.mark.parametrize("value", ["1.02.3", "1..3", "1.2.3."])
    def test_small_faults_stay(self, read: Read, value: str) -> None:
        file, _, _ = read(builders.to_bytes(with_bytes(image(), "SeriesInstanceUID", value.encode())))
        assert file.instance is not None
        assert file.instance.series["series_instance_uid"] == value

    @pytest.mark.parametrize("value", [b"1.2.3\\1.2.4", b"1.2.3\\", b"\\1.2.3"])
    def test_several_are_none(self, read: Read, value: bytes) -> None:
        # Taking one of them could put the picture into the series of another patient.
        first, again = (
            read(builders.to_bytes(with_bytes(image(), "SeriesInstanceUID", value)))[0].instance
            for _ in range(2)
        )
        assert first is not None
        assert first == again
        assert first.series["series_instance_uid"].startswith("2.25.")


class TestFilesWithoutUid:
    """Their UID comes from their content: it outlives moves, restarts and the end of other files."""

    def file(self, value: int) -> bytes:
        pixels = np.full((8, 8), value, np.uint16)
        dataset = image(pixels, SOPInstanceUID=None, InstanceNumber=None, ImagePositionPatient=None)
        return builders.to_bytes(dataset, meta=False)

    def uids(self, folder: Folder, directory: DataDirectory) -> dict[bytes, str]:
        files = [read_file(directory, found) for found in directory.walk()]
        return {file.path: file.instance.sop_instance_uid for file in files if file.instance}

    def test_other_bytes_are_another_instance(self, folder: Folder, directory: DataDirectory) -> None:
        for number in range(3):
            folder.write(str(number), self.file(number))
        found = self.uids(folder, directory)
        assert len(set(found.values())) == 3
        assert all(uid.startswith("2.25.") and is_valid_uid(uid) for uid in found.values())

    def test_a_name_and_other_files_mean_nothing(self, folder: Folder, directory: DataDirectory) -> None:
        first = folder.write("a", self.file(1))
        folder.write("b", self.file(2))
        before = self.uids(folder, directory)
        first.unlink()
        (folder.path / "b").rename(folder.path / "z")
        assert self.uids(folder, directory) == {b"z": before[b"b"]}

    def test_a_damaged_file_is_known_by_its_content_too(
        self, folder: Folder, directory: DataDirectory
    ) -> None:
        folder.write("a", self.file(1)[:-5])
        folder.write("b", self.file(2)[:-5])
        assert len(set(self.uids(folder, directory).values())) == 2


class TestEncodings:
    @pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
    def test_without_preamble_and_file_meta_information(
        self, read: Read, picture: np.ndarray, syntax: str
    ) -> None:
        file, _, shown = read(builders.to_bytes(image(), syntax, meta=False))
        assert file.state == INDEXED
        assert np.array_equal(shown, picture)
        assert {"no_preamble", "no_file_meta"} <= codes(file)

    def test_file_meta_information_without_preamble(self, read: Read, picture: np.ndarray) -> None:
        file, _, shown = read(builders.to_bytes(image())[132:])
        assert "no_preamble" in codes(file)
        assert np.array_equal(shown, picture)

    def test_preamble_without_file_meta_information(self, read: Read, picture: np.ndarray) -> None:
        file, _, shown = read(b"\0" * 128 + b"DICM" + builders.to_bytes(image(), meta=False))
        assert "no_file_meta" in codes(file)
        assert np.array_equal(shown, picture)

    @pytest.mark.parametrize("is_implicit", [True, False])
    def test_group_lengths(self, read: Read, picture: np.ndarray, is_implicit: bool) -> None:
        elements = builders.raw_elements(image())
        data = builders.write_elements(elements, is_implicit=is_implicit, has_group_lengths=True)
        _, _, shown = read(data)
        assert np.array_equal(shown, picture)

    def test_wrong_group_lengths(self, read: Read, picture: np.ndarray) -> None:
        data = builders.write_elements(builders.raw_elements(image()), has_group_lengths=True)
        wrong = data.replace(b"\x28\0\0\0UL\4\0", b"\x28\0\0\0UL\4\0\xff\xff\0\0", 1)
        wrong = wrong[: wrong.index(b"\xff\xff\0\0") + 4] + wrong[wrong.index(b"\xff\xff\0\0") + 8 :]
        assert len(wrong) == len(data)
        _, _, shown = read(wrong)
        assert np.array_equal(shown, picture)

    @pytest.mark.parametrize("zeros", [1, 2, 132, 4096])
    def test_zeros_behind_the_data_set(self, read: Read, picture: np.ndarray, zeros: int) -> None:
        file, _, shown = read(builders.to_bytes(image()) + b"\0" * zeros)
        assert file.state == INDEXED
        assert np.array_equal(shown, picture)

    def test_every_attribute_as_un(self, read: Read, picture: np.ndarray) -> None:
        dataset = image(WindowCenter=None)
        dataset.VOILUTSequence = Items([])
        proper = read(builders.to_bytes(dataset))
        elements = [
            element if element.tag == 0x7FE00010 else element._replace(VR="UN")
            for element in builders.raw_elements(dataset)
        ]
        file, header, shown = read(builders.write_elements(elements))
        assert np.array_equal(shown, picture)
        assert file.instance is not None
        assert proper[0].instance is not None
        assert file.instance.frames == proper[0].instance.frames
        assert file.instance.patient == proper[0].instance.patient
        assert header.image == proper[1].image

    def test_pixel_data_as_un(self, read: Read, picture: np.ndarray) -> None:
        elements = [element._replace(VR="UN") for element in builders.raw_elements(image())]
        assert np.array_equal(read(builders.write_elements(elements))[2], picture)

    def test_functional_groups_as_un(self, read: Read) -> None:
        places = [(0, 0, 3), (0, 0, 6)]
        elements = [
            element._replace(VR="UN") if element.VR == "SQ" else element
            for element in builders.raw_elements(builders.enhanced(places))
        ]
        # What is inside a UN is implicit VR little endian (PS3.5 6.2.2, note 2); these writers did not know.
        file, _, _ = read(builders.write_elements(elements))
        assert file.instance is not None
        assert [tuple(frame.position or ()) for frame in file.instance.frames] == places


class TestAcrNema:
    @pytest.mark.parametrize("version", ["1.0", "2.0"])
    def test_is_shown(self, read: Read, picture: np.ndarray, version: str) -> None:
        file, _, shown = read(builders.acr_nema(version=version))
        assert file.state == INDEXED
        assert file.instance is not None
        assert np.array_equal(shown, picture)
        assert file.instance.patient["name"] == "Doe, Jane"
        assert file.instance.study["study_date"] == "19880102"
        assert {"no_preamble", "no_file_meta", "derived_uid", "acr_nema"} <= codes(file)

    def test_slices_of_one_examination_are_one_series(self, read: Read) -> None:
        one, two = (read(builders.acr_nema(InstanceNumber=number))[0].instance for number in (1, 2))
        other = read(builders.acr_nema(PatientID="TEST-2"))[0].instance
        assert one
        assert two
        assert other
        assert one.series == two.series
        assert one.sop_instance_uid != two.sop_instance_uid
        assert other.series != one.series

    def test_in_a_file_with_preamble(self, read: Read, picture: np.ndarray) -> None:
        _, _, shown = read(b"\0" * 128 + b"DICM" + builders.acr_nema())
        assert np.array_equal(shown, picture)


def test_an_object_may_hold_what_no_dictionary_knows(read: Read, picture: np.ndarray) -> None:
    dataset = image()
    dataset.add_new(0x00091001, "UN", b"\1\2\3\4")
    dataset.add_new(0x00289999, "UN", b"\1\2")
    dataset.add_new(0x60010010, "US", 4)
    dataset.ReferencedImageSequence = Items([item(ReferencedSOPInstanceUID=uid("other"))])
    assert np.array_equal(read(builders.to_bytes(dataset))[2], picture)
