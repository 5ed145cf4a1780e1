"""Slice counts, the order of every slice and the middle one, against projections and SimpleITK."""

import random

import pytest

from imageserver.dicom.arrangement import Arrangement, Verdict
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
def test_the_middle_slice_is_one_that_may_be_called_so(case: Case) -> None:
    middle = arranged(case).middle
    assert middle is not None
    assert middle.sop_instance_uid in {entry["sop"] for entry in case.expected["acceptable_middle"]}
    before = case.expected["middle_minus_one"]
    if before is not None:  # with an even count the upper one of the two (docs/decisions/0016)
        assert middle.sop_instance_uid != before["sop"]
        assert case.expected["middle"]["index"] == before["index"] + 1


@pytest.mark.parametrize("case", series_cases())
def test_geometry_of_a_series(case: Case) -> None:
    arrangement = arranged(case)
    orientations = {frame.orientation for frame in describe(case)}
    assert len(orientations) == case.expected["distinct_orientations"]
    assert (arrangement.verdict is Verdict.VOLUME_TILTED) == case.expected["tilted"]
    assert case.expected["stack_vs_normal_degrees"] < 0.1
    for stack in arrangement.stacks:
        ends = (case.expected["first_mm"], case.expected["last_mm"])
        assert (stack.positions_mm[0], stack.positions_mm[-1]) == pytest.approx(ends, abs=2e-3)
        assert len({round(mm or 0, 3) for mm in stack.positions_mm}) == case.expected["distinct_positions"]


@pytest.mark.parametrize("case", series_cases())
def test_the_order_does_not_come_from_names_or_numbers(case: Case) -> None:
    order = case.expected["slices_in_order"]
    by_name = sorted(order, key=lambda entry: str(entry["file"]))
    numbers = [int(entry["instance"]) for entry in order]
    assert (by_name == order) == case.expected["file_name_order_is_spatial"]
    found = (
        "ascending"
        if numbers == sorted(numbers)
        else "descending"
        if numbers == sorted(numbers)[::-1]
        else "neither"
    )
    assert found == case.expected["instance_number_order"]


@pytest.mark.parametrize("case", series_cases())
def test_measured_spacing(case: Case) -> None:
    low, high = case.expected["gap_mm"]
    for stack in arranged(case).stacks:
        assert stack.slice_spacing_mm is not None
        assert low - 1e-3 <= stack.slice_spacing_mm <= high + 1e-3


def frames_of(case: Case) -> list[FrameDescription]:
    with case.path.open("rb") as stream:
        return describe_frames(read_header(stream))


@pytest.mark.parametrize("case", file_cases("frames_spatial"))
def test_the_middle_frame_of_a_multi_frame_object(case: Case) -> None:
    expected = case.expected["frames_spatial"]
    arrangement = arrange(frames_of(case))
    assert arrangement.middle is not None
    assert arrangement.middle.frame_number - 1 == expected["middle_frame"]
    assert expected["middle_frame"] in expected["acceptable_middle_frames"]


@pytest.mark.parametrize("case", file_cases("frames_spatial"))
def test_the_frames_of_a_multi_frame_object_in_space(case: Case) -> None:
    expected = case.expected["frames_spatial"]
    frames = frames_of(case)
    if (
        "distinct_positions" not in expected
    ):  # no positions, or those of a grid, which the references do not read
        return
    [stack] = arrange(frames).stacks
    positions = [mm for mm in stack.positions_mm if mm is not None]
    assert len({round(mm, 3) for mm in positions}) == expected["distinct_positions"]
    ends = (expected["first_mm"], expected["last_mm"])
    assert (positions[0], positions[-1]) == pytest.approx(ends, abs=2e-3)
    assert len({frame.orientation for frame in frames}) == expected["orientations"]
    is_stored_order = [frame.frame_number for frame in stack.frames] == [
        frame.frame_number for frame in frames
    ]
    assert is_stored_order == expected["stored_order_is_spatial"]


@pytest.mark.parametrize("case", file_cases("frames_spatial"))
def test_every_frame_of_a_multi_frame_object(case: Case) -> None:
    """Positions of the first and the last frame, where the object has them; else the order in which they are stored."""
    expected = case.expected["frames_spatial"]
    with case.path.open("rb") as stream:
        arrangement = arrange(describe_frames(read_header(stream)))
    order = [frame.frame_number for frame in arrangement.frames]
    if expected.get("stored_order_is_spatial", True):
        assert order == list(range(1, len(order) + 1))
    if "first_mm" in expected:
        [stack] = arrangement.stacks
        assert stack.count == expected["distinct_positions"]
        assert stack.positions_mm[0] == pytest.approx(expected["first_mm"], abs=2e-3)
        assert stack.positions_mm[-1] == pytest.approx(expected["last_mm"], abs=2e-3)


@pytest.mark.parametrize("case", series_cases())
def test_regular_volumes_have_a_matrix_and_no_remarks(case: Case) -> None:
    arrangement = arranged(case)
    assert (arrangement.warnings, arrangement.excluded) == ((), ())
    places = {entry["sop"]: entry["mm"] for entry in case.expected["slices_in_order"]}
    for stack in arrangement.stacks:
        assert stack.affine is not None
        step = [row[2] for row in stack.affine[:3]]
        first, last = (places[stack.frames[i].sop_instance_uid] for i in (0, -1))
        along = sum(value**2 for value in step) ** 0.5 * (stack.count - 1)
        assert along == pytest.approx(last - first, abs=1e-2)
