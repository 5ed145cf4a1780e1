"""Frames of reconstructed nuclear medicine objects, by the rules of PS3.3 C.8.4.8, C.8.4.11 and C.8.4.15."""

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from imageserver.dicom.arrangement import Verdict
from imageserver.dicom.frames import FrameDescription, describe_frames
from imageserver.dicom.reading import read_header
from imageserver.dicom.stacks import arrange
from tests import builders


def tomogram(frames: int, kind: str = "RECON TOMO", **attributes: object) -> Dataset:
    detector = builders.item(ImagePositionPatient=[1, 2, 30], ImageOrientationPatient=list(builders.AXIAL))
    values = {
        "ImageType": ["ORIGINAL", "PRIMARY", kind],
        "DetectorInformationSequence": Items([detector]),
        "SpacingBetweenSlices": 4,
        "ImagePositionPatient": None,
        "ImageOrientationPatient": None,
        "NumberOfFrames": frames,
        **attributes,
    }
    return builders.image(np.zeros((frames, 4, 4), np.uint16), **values)


def describe(dataset: Dataset) -> list[FrameDescription]:
    return describe_frames(read_header(builders.stream(dataset)))


@pytest.mark.parametrize(("spacing", "places"), [(4, [30, 34, 38]), (-4, [30, 26, 22])])
def test_the_sign_of_the_spacing_is_the_direction(spacing: float, places: list[float]) -> None:
    frames = describe(tomogram(3, SpacingBetweenSlices=spacing, SliceVector=[1, 2, 3]))
    assert [frame.position for frame in frames] == [(1, 2, z) for z in places]
    assert {frame.orientation for frame in frames} == {builders.AXIAL}


def test_a_position_of_the_object_does_not_hide_those_of_its_slices() -> None:
    frames = describe(
        tomogram(2, ImagePositionPatient=[9, 9, 9], ImageOrientationPatient=list(builders.AXIAL))
    )
    assert [frame.position for frame in frames] == [(1, 2, 30), (1, 2, 34)]


def test_a_slice_vector_tells_a_tomogram_of_another_image_type() -> None:
    frames = describe(tomogram(2, "AXIAL", SliceVector=[2, 1]))
    assert [frame.position for frame in frames] == [(1, 2, 34), (1, 2, 30)]


def test_a_tomogram_is_a_volume_with_labels() -> None:
    arrangement = arrange(describe(tomogram(8)))
    assert arrangement.verdict is Verdict.VOLUME
    assert arrangement.stacks[0].orientation_labels == ("R", "L", "A", "P")
    assert arrangement.stacks[0].middle.position_mm == 30 + 4 * 4


def test_a_gated_tomogram_has_a_stack_for_each_time_slot() -> None:
    slots = {"TimeSlotVector": [1] * 4 + [2] * 4, "SliceVector": [1, 2, 3, 4] * 2}
    arrangement = arrange(describe(tomogram(8, "RECON GATED TOMO", **slots)))
    assert (arrangement.verdict, [s.count for s in arrangement.stacks]) == (Verdict.VOLUME_4D, [4, 4])
    assert arrangement.middle is not None
    assert arrangement.middle.frame_number == 3


@pytest.mark.parametrize(
    "attributes",
    [
        {"kind": "TOMO"},  # projections: one detector turns around the patient
        {"SpacingBetweenSlices": None},
        {"DetectorInformationSequence": None},
    ],
    ids=["projections", "no spacing", "no detector"],
)
def test_without_a_place_there_is_none(attributes: dict[str, object]) -> None:
    assert [frame.position for frame in describe(tomogram(2, **attributes))] == [None, None]  # type: ignore[arg-type]
