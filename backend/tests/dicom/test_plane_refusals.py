"""Which stacks have planes, and the reasons of the others."""

from dataclasses import replace

import pytest

from imageserver.dicom.arrangement import Stack
from imageserver.dicom.frames import describe_frames
from imageserver.dicom.plane_refusals import Refusal, describe_planes
from imageserver.dicom.reading import read_header
from imageserver.dicom.stacks import arrange
from tests.builders import image, stream, volume
from tests.dicom.test_planes import stack_of

MANY = 10**9


def code(stack: Stack, photometric: str | None = "MONOCHROME2", most_voxels: int = MANY) -> str | None:
    found = describe_planes(stack, photometric, most_voxels)
    return found.code if isinstance(found, Refusal) else None


def arranged(*datasets: object) -> Stack:
    frames = [frame for dataset in datasets for frame in describe_frames(read_header(stream(dataset)))]  # type: ignore[arg-type]
    return arrange(frames).stacks[0]


def at(*heights: float) -> Stack:
    return arranged(*(image(instance=n + 1, ImagePositionPatient=[0, 0, z]) for n, z in enumerate(heights)))


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2", None])
def test_a_grey_volume(photometric: str | None) -> None:
    assert code(stack_of(3), photometric) is None


def test_one_slice() -> None:
    assert code(stack_of(1)) == "one_slice"


@pytest.mark.parametrize(("count", "expected"), [(3, "localizer"), (9, "localizer"), (10, None)])
def test_a_few_images_of_a_localizer(count: int, expected: str | None) -> None:
    found = describe_planes(stack_of(count), "MONOCHROME2", MANY, is_localizer=True)
    assert (found.code if isinstance(found, Refusal) else None) == expected


def test_gaps() -> None:
    assert code(at(0, 2, 4, 6, 12, 14)) == "gaps"


def test_unequal_steps() -> None:
    assert code(at(0, 2, 4.5, 6.5, 9, 11)) == "unequal_spacing"


def test_steps_that_differ_by_rounding_only() -> None:
    assert code(at(0, 2.01, 4, 6.01, 8)) is None


def test_slices_beside_the_line() -> None:
    places = [(0, 0, 0), (0, 0, 2), (0, 3, 4), (0, 0, 6), (0, 0, 8)]
    stack = arranged(*(image(instance=n + 1, ImagePositionPatient=list(p)) for n, p in enumerate(places)))
    assert code(stack) == "not_a_volume"


def test_no_positions() -> None:
    stack = arranged(*(image(instance=n, ImagePositionPatient=None) for n in (1, 2, 3)))
    assert code(stack) == "not_a_volume"


def test_no_pixel_spacing() -> None:
    assert code(arranged(*volume(3, PixelSpacing=None))) == "no_pixel_spacing"


def test_repeated_positions() -> None:
    assert code(replace(stack_of(3), affine=None, positions_mm=(0.0, 2.0, 2.0))) == "repeated_positions"


def test_one_place() -> None:
    assert code(replace(stack_of(2), affine=None, positions_mm=(2.0, 2.0))) == "one_place"
    assert code(at(2.5, 2.5, 2.5)) == "one_place"


@pytest.mark.parametrize(("step", "expected"), [((0, 1.9, 2), None), ((0, 2.2, 2), "tilted")])
def test_slices_that_are_sheared_too_far(step: tuple[float, ...], expected: str | None) -> None:
    assert code(stack_of(4, step=step)) == expected  # 43.5° and 47.7°


@pytest.mark.parametrize("photometric", ["RGB", "PALETTE COLOR", "YBR_FULL"])
def test_colour(photometric: str) -> None:
    assert code(stack_of(3), photometric) == "colour"


def test_more_voxels_than_there_is_room_for() -> None:
    assert code(stack_of(3), most_voxels=3 * 8 * 8 - 1) == "too_large"
    assert code(stack_of(3), most_voxels=3 * 8 * 8) is None
