import math

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from imageserver.dicom.number_values import each_number, integer, number, numbers, written_value
from imageserver.dicom.reading import read_header
from tests import builders
from tests.builders import item
from tests.datasets import SYNTAXES, dataset_with


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
