"""Values against PS3.5 6.2: DS has a decimal point, no unit, no comma."""

import io

import pytest
from pydicom.dataset import Dataset

from imageserver.dicom.number_values import numbers
from imageserver.dicom.reading import Header, read_header
from tests import builders


def read(dataset: Dataset) -> Header:
    return read_header(io.BytesIO(builders.to_bytes(dataset)))


def with_text(keyword: str, value: str) -> Dataset:
    """An image with a value that pydicom would not write as DS; LO is read alike."""
    dataset = builders.image()
    dataset.add_new(keyword, "LO", value)
    return dataset


class TestFindings:
    @pytest.mark.parametrize(
        ("keyword", "value", "code"),
        [
            ("RescaleSlope", "0,5", "decimal_comma"),
            ("RescaleSlope", "1 HU", "unreadable_value"),
            ("RescaleSlope", "0", "zero_slope"),
            ("RescaleIntercept", "minus 1024", "unreadable_value"),
            ("RescaleIntercept", "1_024", "unreadable_value"),
            ("WindowWidth", "1,000.5", "unreadable_value"),
            ("WindowCenter", "40,00", "decimal_comma"),
            ("ImagePositionPatient", "1,5\\2,5\\3", "decimal_comma"),
            ("ImageOrientationPatient", "1\\0\\0\\0\\1\\x", "unreadable_value"),
        ],
    )
    def test_what_cannot_be_read_is_said_without_quoting_it(
        self, keyword: str, value: str, code: str
    ) -> None:
        (finding,) = read(with_text(keyword, value)).warnings
        assert finding.code == code
        assert keyword in finding.message
        assert value not in finding.message or value == "0"

    @pytest.mark.parametrize("value", ["", "  ", "1", "+.5", "-2.", "1e-3", " 3 "])
    def test_what_can_be_read_or_is_absent_needs_no_word(self, value: str) -> None:
        assert read(with_text("RescaleSlope", value)).warnings == ()

    def test_in_functional_groups(self) -> None:
        macro = Dataset()
        macro.add_new("RescaleSlope", "LO", "1 HU")
        header = read(builders.enhanced([(0, 0, 1)], shared={"PixelValueTransformationSequence": macro}))
        assert [finding.code for finding in header.warnings] == ["unreadable_value"]


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [("0,5", [0.5]), ("-1,5\\2", [-1.5, 2]), (",5", [0.5]), ("1_0", []), ("1,000.5", []), ("1,2,3", [])],
    )
    def test_a_decimal_comma_is_read_and_other_spellings_are_not(
        self, value: str, expected: list[float]
    ) -> None:
        assert numbers(read(with_text("RescaleSlope", value)).dataset, "RescaleSlope") == expected
