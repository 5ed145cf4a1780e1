import io
import math
import struct

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from imageserver.dicom.reading import read_header
from imageserver.dicom.values import (
    each_number,
    first_item,
    integer,
    items,
    number,
    numbers,
    text,
    texts,
    written_value,
)
from tests import builders
from tests.builders import item

SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]


def dataset_with(syntax: str = ExplicitVRLittleEndian, **attributes: object) -> Dataset:
    return read_header(builders.stream(item(Modality="OT", **attributes), syntax)).dataset


class TestEachNumber:
    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("40\\-600", [40, -600]),
            ("\\40", [None, 40]),
            ("forty\\0,5", [None, 0.5]),
            ("1e999", [None]),
            ("9" * 400 + "\\1", [None, 1]),
            ("", []),
        ],
    )
    def test_keeps_the_places(self, written: str, expected: list[float | None]) -> None:
        dataset = Dataset()
        dataset.add_new("WindowCenter", "LO", written)
        assert each_number(dataset, "WindowCenter") == expected

    def test_of_an_element_that_is_binary_or_absent(self) -> None:
        assert each_number(dataset_with(Rows=5), "Rows") == [5]
        assert each_number(Dataset(), "Rows") == []


class TestNumbers:
    @pytest.mark.parametrize("syntax", SYNTAXES)
    def test_of_every_kind(self, syntax: str) -> None:
        dataset = dataset_with(
            syntax, Rows=512, SliceThickness="2.5", InstanceNumber="-3", DiffusionBValue=0.5
        )
        assert integer(dataset, "Rows") == 512
        assert number(dataset, "SliceThickness") == 2.5
        assert integer(dataset, "InstanceNumber") == -3
        assert number(dataset, "DiffusionBValue") == 0.5
        assert numbers(dataset_with(syntax, PixelSpacing=["0.5", "0.25"]), "PixelSpacing") == [0.5, 0.25]

    def test_the_sign_where_the_dictionary_leaves_it_open(self) -> None:
        dataset = dataset_with(ImplicitVRLittleEndian, SmallestImagePixelValue=65535)
        assert number(dataset, "SmallestImagePixelValue") == 65535
        assert number(dataset, "SmallestImagePixelValue", signed=True) == -1

    @pytest.mark.parametrize("value", ["abc", "1\\x", "nan", "1e999", "9" * 400, "9" * 5000])
    def test_nonsense_is_not_there(self, value: str) -> None:
        dataset = Dataset()
        dataset.add_new("Modality", "CS", "OT")
        dataset.add_new("SliceThickness", "LO", value)
        assert numbers(read_header(builders.stream(dataset)).dataset, "SliceThickness") == []

    def test_a_fraction_is_no_integer(self) -> None:
        assert integer(dataset_with(SliceThickness="2.5"), "SliceThickness") is None

    def test_no_integer_of_dicom_has_more_than_64_bits(self) -> None:
        assert integer(dataset_with(DiffusionBValue=1e300), "DiffusionBValue") is None
        assert integer(dataset_with(DiffusionBValue=-(2.0**53)), "DiffusionBValue") == -(2**53)

    def test_absent(self) -> None:
        assert number(Dataset(), "SliceThickness") is None

    @pytest.mark.parametrize("value", [3, 3.5, math.pi])
    def test_in_memory(self, value: float) -> None:
        assert number(item(DiffusionBValue=value), "DiffusionBValue") == value


class TestText:
    def test_padding_is_removed(self) -> None:
        assert text(dataset_with(SeriesDescription=" Thorax "), "SeriesDescription") == "Thorax"

    def test_empty_is_none(self) -> None:
        assert text(dataset_with(SeriesDescription=""), "SeriesDescription") is None

    def test_several_values(self) -> None:
        assert texts(dataset_with(ImageType=["ORIGINAL", "PRIMARY"]), "ImageType") == ["ORIGINAL", "PRIMARY"]

    def test_in_memory_it_is_unicode(self) -> None:
        assert text(item(SeriesDescription="Köpfe"), "SeriesDescription") == "Köpfe"


class TestTextOfItems:
    """PS3.5 7.5.3: items inherit Specific Character Set unless they have their own."""

    def described(self, text: str, **own: str) -> Dataset:
        return item(SegmentLabel=text, **own)

    def nested(self, **own: str) -> Dataset:
        inner = self.described("Печень", **own)
        outer = item(SegmentSequence=Items([inner]))
        return dataset_with(SpecificCharacterSet="ISO_IR 144", ReferencedImageSequence=Items([outer]))

    def read(self, dataset: Dataset) -> str | None:
        [outer] = items(dataset, "ReferencedImageSequence")
        [inner] = items(outer, "SegmentSequence")
        return text(inner, "SegmentLabel")

    def test_is_inherited_at_any_depth(self) -> None:
        assert self.read(self.nested()) == "Печень"

    def test_an_item_may_have_its_own(self) -> None:
        assert self.read(self.nested(SpecificCharacterSet="ISO_IR 192")) == "Печень"


class TestWrittenValue:
    @pytest.mark.parametrize(
        ("keyword", "value", "written"),
        [
            ("EchoTime", "30.0", "30"),
            ("DiffusionBValue", 1000.0, "1000"),
            ("AcquisitionTime", "093000.50", "093000.50"),
        ],
    )
    def test_equal_numbers_are_written_alike_and_times_as_they_are(
        self, keyword: str, value: object, written: str
    ) -> None:
        assert written_value(dataset_with(**{keyword: value}), keyword) == written


class TestItems:
    @pytest.mark.parametrize("syntax", SYNTAXES)
    def test_of_a_sequence(self, syntax: str) -> None:
        dataset = dataset_with(
            syntax, ReferencedStudySequence=Items([item(InstanceNumber=1), item(InstanceNumber=2)])
        )
        assert [integer(i, "InstanceNumber") for i in items(dataset, "ReferencedStudySequence")] == [1, 2]
        assert first_item(Dataset(), "ReferencedStudySequence") is None

    def test_something_else_under_its_tag(self) -> None:
        dataset = Dataset()
        dataset.add_new("Modality", "CS", "OT")
        dataset.add_new("ReferencedStudySequence", "LO", "no sequence")
        assert items(read_header(builders.stream(dataset)).dataset, "ReferencedStudySequence") == []

    def test_a_sequence_that_pydicom_cannot_read_never_raises(self) -> None:
        # Found by flipping bits: a VR that pydicom does not know, with the long length of a VR of tomorrow, makes it
        # lose its place among the items.
        nested = struct.pack("<HH2sHL", 0x0008, 0x1150, b"ZZ", 0, 6) + b"1.2.3\0"
        open_item = (
            struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF) + nested + struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
        )
        value = open_item + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
        sequence = struct.pack("<HH2sHL", 0x0008, 0x1110, b"SQ", 0, 0xFFFFFFFF) + value
        header = read_header(io.BytesIO(builders.to_bytes(item(Modality="OT")) + sequence))
        for found in items(header.dataset, "ReferencedStudySequence"):
            assert text(found, "InstanceNumber") is None
