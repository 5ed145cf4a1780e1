"""The place of a slice in its order."""

import pytest

from imageserver.archive.slices import locate_slice, neighbours_of
from imageserver.archive.volumes import Volume, VolumeSummary
from imageserver.dicom.frames import FrameDescription
from imageserver.dicom.stacks import arrange
from imageserver.errors import SliceNotFound

AXIAL, CORONAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


def frame(number: int, orientation: tuple[float, ...] = AXIAL) -> FrameDescription:
    place = (0.0, 0.0, float(number)) if orientation == AXIAL else (0.0, float(number), 0.0)
    return FrameDescription(f"1.{number}", 1, number, 8, 8, 1.0, 1.0, 1.0, place, orientation)  # type: ignore[arg-type]


def series(*frames: FrameDescription) -> Volume:
    summary = VolumeSummary("1.2", "1.1", "CT", None, None, len(frames), "", None, None)
    return Volume(summary, {}, arrange(frames), ())


@pytest.mark.parametrize(("count", "middle"), [(1, 0), (2, 1), (3, 1), (4, 2), (101, 50)])
def test_the_middle(count: int, middle: int) -> None:
    assert locate_slice(series(*map(frame, range(1, count + 1))), None, None).index == middle


def test_a_series_without_frames() -> None:
    with pytest.raises(SliceNotFound):
        locate_slice(series(), None, None)


@pytest.mark.parametrize(("stack", "index"), [(None, 3), (0, 3), (1, 0), (5, None)])
def test_out_of_range(stack: int | None, index: int | None) -> None:
    with pytest.raises(SliceNotFound):
        locate_slice(series(*map(frame, (1, 2, 3))), stack, index)


def test_a_stack_of_a_localizer_counts_by_itself() -> None:
    localizer = series(*map(frame, (1, 2, 3)), *(frame(n, CORONAL) for n in (4, 5)))
    assert locate_slice(localizer, None, None).count == 5
    assert sorted(locate_slice(localizer, stack, None).count for stack in (0, 1)) == [2, 3]


@pytest.mark.parametrize(("index", "expected"), [(0, [1]), (1, [0, 2]), (2, [1])])
def test_neighbours(index: int, expected: list[int]) -> None:
    volume = series(*map(frame, (1, 2, 3)))
    found = neighbours_of(volume, locate_slice(volume, None, index))
    assert [neighbour.index for neighbour in found] == expected
