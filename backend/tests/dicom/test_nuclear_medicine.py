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

    assert [s.differs_by for s in arrangement.stacks] == ["time slot 1", "time slot 2"]


def test_energy_windows_of_a_tomogram_are_stacks() -> None:
    vectors = {"EnergyWindowVector": [2, 2, 1, 1], "SliceVector": [2, 1, 2, 1]}
    arrangement = arrange(describe(tomogram(4, **vectors)))
    assert {s.differs_by: [f.frame_number for f in s.frames] for s in arrangement.stacks} == {
        "energy window 1": [4, 3],
        "energy window 2": [2, 1],
    }


def test_a_planar_acquisition_follows_its_vectors_and_shows_each_detector() -> None:
    # DYNAMIC: energy window, detector, phase and time slice, the first of them slowest (PS3.3 C.8.4.8).
    vectors = {"DetectorVector": [2, 1, 2, 1], "TimeSliceVector": [1, 2, 2, 1]}
    arrangement = arrange(describe(tomogram(4, "DYNAMIC", **vectors)))
    assert arrangement.verdict is Verdict.CINE
    assert [f.frame_number for f in arrangement.frames] == [4, 2, 1, 3]
    assert {s.differs_by: [f.frame_number for f in s.frames] for s in arrangement.stacks} == {
        "4 × 4 pixels, detector 1": [4, 2],
        "4 × 4 pixels, detector 2": [1, 3],
    }


def test_a_vector_of_another_length_says_nothing() -> None:
    frames = describe(tomogram(3, "DYNAMIC", DetectorVector=[1, 2]))
    assert [frame.dimension_index for frame in frames] == [None] * 3


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
