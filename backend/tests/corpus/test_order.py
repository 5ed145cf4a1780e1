"""Slice counts, the order of every slice and the middle one, against projections and SimpleITK."""

import random

import pytest

from imageserver.dicom.arrangement import Arrangement
from imageserver.dicom.frames import FrameDescription, describe_frames
from imageserver.dicom.reading import read_header
from imageserver.dicom.stacks import arrange
from tests.corpus.conftest import Case, file_cases, series_cases


def describe(case: Case) -> list[FrameDescription]:
    frames = []
    for entry in case.expected["slices_in_order"]:
        with (case.folder / entry["file"]).open("rb") as stream:
            frames += describe_frames(read_header(stream))
    random.Random(7).shuffle(frames)
    return frames


def arranged(case: Case) -> Arrangement:
    return arrange(describe(case))


@pytest.mark.parametrize("case", series_cases())
def test_every_slice_is_counted_once(case: Case) -> None:
    arrangement = arranged(case)
    assert sum(stack.count for stack in arrangement.stacks) == case.expected["distinct_sop_instances"]
    assert {stack.count for stack in arrangement.stacks} == {case.expected["distinct_positions"]}


@pytest.mark.parametrize("case", series_cases())
def test_the_order_of_every_slice(case: Case) -> None:
    for stack in arranged(case).stacks:
        members = {frame.sop_instance_uid for frame in stack.frames}
        expected = [entry for entry in case.expected["slices_in_order"] if entry["sop"] in members]
        assert [frame.sop_instance_uid for frame in stack.frames] == [entry["sop"] for entry in expected]
        assert list(stack.positions_mm) == pytest.approx([entry["mm"] for entry in expected], abs=2e-3)


@pytest.mark.parametrize("case", series_cases())
def test_the_middle_slice(case: Case) -> None:
    middle = arranged(case).middle
    assert middle is not None
    assert middle.sop_instance_uid == case.expected["middle"]["sop"]


@pytest.mark.parametrize("case", series_cases())
def test_measured_spacing(case: Case) -> None:
    low, high = case.expected["gap_mm"]
    for stack in arranged(case).stacks:
        assert stack.slice_spacing_mm is not None
        assert low - 1e-3 <= stack.slice_spacing_mm <= high + 1e-3


@pytest.mark.parametrize("case", file_cases("frames_spatial"))
def test_the_middle_frame_of_a_multi_frame_object(case: Case) -> None:
    with case.path.open("rb") as stream:
        arrangement = arrange(describe_frames(read_header(stream)))
    assert arrangement.middle is not None
    assert arrangement.middle.frame_number - 1 == case.expected["frames_spatial"]["middle_frame"]
