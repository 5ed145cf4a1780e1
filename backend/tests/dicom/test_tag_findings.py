"""Spacing Between Slices and Slice Thickness against positions that are 4 mm apart."""

import pytest

from imageserver.dicom.limits import Finding
from imageserver.dicom.tag_findings import tag_findings
from tests.dicom.described import axial


def findings(
    tag: float | None = None, thickness: float | None = None, step_length: float = 4.0
) -> list[Finding]:
    slices = axial([0, 4, 8], spacing_between_slices_mm=tag, slice_thickness_mm=thickness)
    return tag_findings(slices, 4.0, step_length)


@pytest.mark.parametrize("tag", [None, 4.0, -4.0, 4.15, 0.0])
def test_a_spacing_tag_that_agrees(tag: float | None) -> None:
    # Its sign is the direction of stacking in nuclear medicine (PS3.3 C.8.4.15); 5 % are rounding.
    assert findings(tag) == []


def test_a_spacing_tag_that_does_not() -> None:
    [finding] = findings(2.5)
    assert (finding.code, finding.numbers) == ("spacing_mismatch", {"tag_mm": 2.5, "measured_mm": 4})
    assert finding.message == "The files claim 2.50 mm between slices; their positions are 4.00 mm apart."


def test_a_spacing_tag_that_is_the_space_between_slices() -> None:
    found = {finding.code: finding for finding in findings(1.0, 3.0)}
    assert "fits the space between slices" in found["spacing_mismatch"].message
    assert found["space_between_slices"].numbers == {"thickness_mm": 3, "measured_mm": 4, "space_mm": 1}


def test_along_a_tilted_table_the_step_is_longer_than_the_distance() -> None:
    assert findings(5.0, 5.0, step_length=5.0) == []


def test_thick_slices_overlap() -> None:
    [finding] = findings(thickness=5.0)
    assert (finding.code, finding.numbers) == (
        "overlap",
        {"thickness_mm": 5, "measured_mm": 4, "overlap_mm": 1},
    )
    assert finding.message == "Slices of 5.00 mm lie 4.00 mm apart: neighbours overlap by 1.00 mm."


@pytest.mark.parametrize("thickness", [None, 0.0, 4.0, 4.1])
def test_slices_as_thick_as_they_are_apart_do_not(thickness: float | None) -> None:
    assert findings(thickness=thickness) == []


def test_the_value_of_most_slices_counts() -> None:
    slices = axial([0, 4, 8], slice_thickness_mm=4.0)
    assert tag_findings([*slices, *axial([12], slice_thickness_mm=9.0)], 4.0, 4.0) == []
