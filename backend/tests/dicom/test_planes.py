"""Axial, coronal and sagittal planes of stacks that lie in any way: seen as radiologists see them, counted one way."""

import numpy as np
import pytest

from imageserver.dicom.arrangement import Stack
from imageserver.dicom.frames import describe_frames
from imageserver.dicom.planes import LONGEST_SIDE, PlaneName, grid_of, planes_of
from imageserver.dicom.reading import read_header
from imageserver.dicom.stacks import arrange
from tests.builders import AXIAL, CORONAL, SAGITTAL, stream, volume

FEET_TO_HEAD_FLIPPED = (1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
PRONE = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
OBLIQUE = (1.0, 0.0, 0.0, 0.0, 0.8, 0.6)  # 36.9° about the patient's left-right axis


def stack_of(count: int = 5, **options: object) -> Stack:
    frames = [
        frame
        for dataset in volume(count, **options)  # type: ignore[arg-type]
        for frame in describe_frames(read_header(stream(dataset)))
    ]
    return arrange(frames).stacks[0]


class TestDirections:
    @pytest.mark.parametrize("orientation", [AXIAL, CORONAL, SAGITTAL, FEET_TO_HEAD_FLIPPED, PRONE])
    def test_pictures_are_turned_as_radiologists_see_them(self, orientation: tuple[float, ...]) -> None:
        planes = planes_of(grid_of(stack_of(orientation=orientation)))
        # Left, right, top, bottom: the patient's right is at the left, the head on top, the front left or on top.
        assert {name: "".join(plane.orientation_labels) for name, plane in planes.items()} == {
            "axial": "RLAP",
            "coronal": "RLHF",
            "sagittal": "APHF",
        }

    @pytest.mark.parametrize("orientation", [AXIAL, CORONAL, SAGITTAL, FEET_TO_HEAD_FLIPPED, PRONE])
    def test_planes_are_counted_to_the_head_to_the_back_and_to_the_right(
        self, orientation: tuple[float, ...]
    ) -> None:
        # Rows × columns of the pictures: x × y = z, x × -z = y, y × -z = -x.
        planes = planes_of(grid_of(stack_of(orientation=orientation)))
        directions = {name: np.sign(plane.affine[:3, 2]).tolist() for name, plane in planes.items()}
        assert directions == {"axial": [0, 0, 1], "coronal": [0, 1, 0], "sagittal": [-1, 0, 0]}

    def test_oblique_stacks_keep_their_axes_and_say_so(self) -> None:
        planes = planes_of(grid_of(stack_of(orientation=OBLIQUE)))
        assert tuple(planes[PlaneName.AXIAL].orientation_labels) == ("R", "L", "AF", "PH")
        assert tuple(planes[PlaneName.SAGITTAL].orientation_labels) == ("AF", "PH", "HA", "FP")

    def test_animals_have_codes_of_their_own(self) -> None:
        planes = planes_of(grid_of(stack_of()), is_quadruped=True)
        assert tuple(planes[PlaneName.CORONAL].orientation_labels) == ("RT", "LE", "CR", "CD")


class TestSizes:
    def test_pixels_are_square_with_the_smaller_spacing(self) -> None:
        # 8 columns of 0.5 mm: 3.5 mm between the first and the last middle; 5 slices 2 mm apart: 8 mm.
        planes = planes_of(grid_of(stack_of(spacing=2.0)))
        sizes = {name: (plane.count, plane.rows, plane.columns) for name, plane in planes.items()}
        assert sizes == {"axial": (5, 8, 8), "coronal": (8, 17, 8), "sagittal": (8, 17, 8)}
        assert {plane.pixel_spacing_mm for plane in planes.values()} == {0.5}

    def test_pixels_that_are_not_square_become_so(self) -> None:
        plane = planes_of(grid_of(stack_of(PixelSpacing=[1.5, 0.5])))[PlaneName.AXIAL]
        # 7 steps of 1.5 mm are 21 of 0.5 mm.
        assert (plane.rows, plane.columns, plane.pixel_spacing_mm) == (22, 8, 0.5)

    def test_thin_slices_decide_in_the_other_planes(self) -> None:
        plane = planes_of(grid_of(stack_of(spacing=0.25)))[PlaneName.CORONAL]
        assert (plane.rows, plane.columns, plane.pixel_spacing_mm) == (5, 15, 0.25)

    def test_no_picture_is_longer_than_the_bound(self) -> None:
        plane = planes_of(grid_of(stack_of(spacing=2000.0)))[PlaneName.CORONAL]
        assert plane.rows == LONGEST_SIDE
        assert plane.pixel_spacing_mm == pytest.approx(8000 / (LONGEST_SIDE - 1))

    def test_positions_are_those_of_the_slices(self) -> None:
        stack = stack_of(start=-10.0)
        plane = planes_of(grid_of(stack))[PlaneName.AXIAL]
        assert [plane.position_mm(index) for index in range(plane.count)] == list(stack.positions_mm)
        assert plane.nearest_index(-7.2) == 1

    def test_sheared_slices_are_straightened_in_a_wider_grid(self) -> None:
        # Each slice lies 0.7 mm, 1.4 pixels, further back: 5.6 pixels in the end.
        grid = grid_of(stack_of(step=(0.0, 0.7, 2.0)))
        assert grid.counts == (8, 14, 5)
        assert grid.spacings_mm == (0.5, 0.5, 2.0)
        assert grid.shifts == pytest.approx((0.0, 1.4))

    def test_rounding_of_positions_is_no_shear(self) -> None:
        assert not grid_of(stack_of(step=(0.0, 0.004, 2.0))).is_sheared
