"""Numbers worked out by hand from PS3.3 C.11.1.1."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.lookup_table import LookupTable
from imageserver.dicom.modality_lut import (
    ModalityTransform,
    Rescale,
    apply_modality_lut,
    modality_findings,
    read_modality_transform,
)
from imageserver.dicom.reading import read_header
from tests import builders
from tests.builders import item


def transform_of(dataset: Dataset, index: int = 0, syntax: str = ExplicitVRLittleEndian) -> ModalityTransform:
    header = read_header(builders.stream(dataset, syntax))
    return read_modality_transform(header, FunctionalGroups(header.dataset), index)


def findings_of(dataset: Dataset) -> list[str]:
    header = read_header(builders.stream(dataset))
    return [finding.code for finding in modality_findings(header, FunctionalGroups(header.dataset), 0)]


def with_text(keyword: str, value: str, **attributes: str) -> Dataset:
    """An image whose decimal string is written as it stands, valid or not."""
    dataset = builders.image(**attributes)
    dataset.add_new(keyword, "LO", value)
    return dataset


def table_item(descriptor: list[int], data: list[int], vr: str = "US") -> Dataset:
    table = Dataset()
    table.add_new("LUTDescriptor", vr, descriptor)
    table.add_new("LUTData", "US", data)
    return table


class TestRescale:
    @pytest.mark.parametrize(
        ("slope", "intercept", "stored", "expected"),
        [
            (1, -1024, [0, 1024, 4095], [-1024, 0, 3071]),
            (0.5, 10.25, [0, 1, 3], [10.25, 10.75, 11.75]),
            (-2, 0, [0, 5], [0, -10]),
        ],
    )
    def test_slope_times_value_plus_intercept(
        self, slope: float, intercept: float, stored: list[int], expected: list[float]
    ) -> None:
        transform = transform_of(builders.image(RescaleSlope=slope, RescaleIntercept=intercept))
        values = apply_modality_lut(np.array(stored, np.uint16), transform)
        assert values.tolist() == expected

    def test_without_both_the_values_stay(self) -> None:
        stored = np.array([1, 2], np.uint16)
        assert apply_modality_lut(stored, transform_of(builders.image())) is stored

    def test_without_a_slope_it_is_one(self) -> None:
        assert transform_of(builders.image(RescaleIntercept=-5)) == Rescale(1, -5)

    def test_a_slope_of_zero_counts_as_missing(self) -> None:
        assert transform_of(builders.image(RescaleSlope=0, RescaleIntercept=7)) == Rescale(1, 7)

    def test_each_frame_of_an_enhanced_object_has_its_own(self) -> None:
        groups = [
            {"PixelValueTransformationSequence": item(RescaleSlope=s, RescaleIntercept=0)} for s in (2, 3)
        ]
        dataset = builders.enhanced([(0, 0, 0), (0, 0, 1)], groups=groups)
        assert [transform_of(dataset, i) for i in (0, 1)] == [Rescale(2, 0), Rescale(3, 0)]


class TestTable:
    @pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian])
    def test_values_outside_take_the_first_or_last_entry(self, syntax: str) -> None:
        table = table_item([3, 10, 16], [100, 200, 300])
        transform = transform_of(builders.image(ModalityLUTSequence=Items([table])), syntax=syntax)
        values = apply_modality_lut(np.array([0, 10, 11, 12, 60000], np.uint16), transform)
        assert values.tolist() == [100, 100, 200, 300, 300]

    def test_the_table_wins_over_the_rescale(self) -> None:
        dataset = builders.image(
            ModalityLUTSequence=Items([table_item([2, 0, 16], [7, 8])]), RescaleIntercept=-1024
        )
        assert isinstance(transform_of(dataset), LookupTable)

    def test_the_first_value_of_signed_pixels_is_signed(self) -> None:
        pixels = np.zeros((2, 2), np.int16)
        dataset = builders.image(pixels, ModalityLUTSequence=Items([table_item([2, 65534, 16], [1, 2])]))
        transform = transform_of(dataset)
        assert apply_modality_lut(np.array([-3, -2, -1], np.int16), transform).tolist() == [1, 1, 2]

    def test_0_entries_are_65536(self) -> None:
        data = np.arange(65536, dtype="<u2")[::-1]
        table = Dataset()
        table.add_new("LUTDescriptor", "US", [0, 0, 16])
        table.add_new("LUTData", "OW", data.tobytes())
        transform = transform_of(builders.image(ModalityLUTSequence=Items([table])))
        assert apply_modality_lut(np.array([0, 65535], np.uint16), transform).tolist() == [65535, 0]

    def test_entries_of_8_bits_packed_in_words(self) -> None:
        table = Dataset()
        table.add_new("LUTDescriptor", "US", [4, 0, 8])
        table.add_new("LUTData", "OW", bytes([1, 2, 3, 4]))
        transform = transform_of(builders.image(ModalityLUTSequence=Items([table])))
        assert apply_modality_lut(np.arange(4, dtype=np.uint8), transform).tolist() == [1, 2, 3, 4]

    @pytest.mark.parametrize("descriptor", [[9, 0, 16], [2, 0], [2, 0, 99]], ids=str)
    def test_a_damaged_table_is_not_there(self, descriptor: list[int]) -> None:
        dataset = builders.image(
            ModalityLUTSequence=Items([table_item(descriptor, [7, 8])]), RescaleIntercept=-1
        )
        assert transform_of(dataset) == Rescale(1, -1)


class TestFindings:
    def test_nothing_about_a_usable_rescale_or_none(self) -> None:
        assert findings_of(builders.image(RescaleSlope=2, RescaleIntercept=0)) == []
        assert findings_of(builders.image()) == []

    @pytest.mark.parametrize("value", ["1 HU", "0", "0,0,1"])
    def test_a_slope_that_is_zero_or_unreadable_is_told(self, value: str) -> None:
        assert findings_of(with_text("RescaleSlope", value)) == ["unreadable_rescale"]

    def test_an_intercept_that_is_unreadable_is_told(self) -> None:
        assert findings_of(with_text("RescaleIntercept", "about -1024")) == ["unreadable_rescale"]

    def test_a_damaged_table_is_told(self) -> None:
        dataset = builders.image(ModalityLUTSequence=Items([table_item([900, 0, 16], [7, 8])]))
        assert findings_of(dataset) == ["unusable_modality_lut"]


class TestNotForDisplay:
    """The Modality LUT of XA and XRF leads back to the X-ray intensity (PS3.3 C.8.7.1.1.2)."""

    @pytest.mark.parametrize("sop_class", ["12.1", "12.2", "12.3"])
    def test_the_table_of_angiography_is_left_out(self, sop_class: str) -> None:
        dataset = builders.image(
            SOPClassUID=f"1.2.840.10008.5.1.4.1.1.{sop_class}",
            PixelIntensityRelationship="LOG",
            ModalityLUTSequence=Items([table_item([2, 0, 16], [8, 7])]),
        )
        assert transform_of(dataset) == Rescale(1, 0)
        assert findings_of(dataset) == []
