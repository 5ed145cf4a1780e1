"""Planes that are cut from volumes of known values."""

import numpy as np
import pytest

from imageserver.dicom.arrangement import Stack
from imageserver.dicom.modality_lut import Rescale
from imageserver.dicom.padding import Padding
from imageserver.dicom.planes import Grid, Plane, PlaneName, grid_of, planes_of
from imageserver.dicom.reslicing import Projection, Voxels, reslice, slab_range
from tests.builders import AXIAL, CORONAL, SAGITTAL
from tests.dicom.test_planes import FEET_TO_HEAD_FLIPPED, OBLIQUE, PRONE, stack_of

RAMP = np.array([3.0, -2.0, 5.0])  # per mm along x, y and z


def ramp_volume(**options: object) -> tuple[Voxels, Grid, dict[PlaneName, Plane]]:
    """A volume whose values are a linear function of the place in the patient."""
    return ramp_of(stack_of(**options))


def ramp_of(stack: Stack) -> tuple[Voxels, Grid, dict[PlaneName, Plane]]:
    k, j, i = np.indices((stack.count, stack.rows, stack.columns))
    places = np.stack([i, j, k, np.ones_like(k)]).reshape(4, -1)
    values = (RAMP @ (np.array(stack.affine) @ places)[:3]).reshape(k.shape)
    grid = grid_of(stack)
    return Voxels(values), grid, planes_of(grid)


def places_of(plane: Plane, index: float) -> np.ndarray:
    """Patient coordinates of every pixel, shape (3, rows, columns), by the matrix that clients get."""
    row, column = np.indices((plane.rows, plane.columns))
    pixels = np.stack([column, row, np.full_like(row, index, dtype=float), np.ones_like(row)])
    return np.tensordot(plane.affine, pixels, 1)[:3]


def is_between_voxels(stack: Stack, places: np.ndarray) -> np.ndarray:
    """Whether both slices beside a place have voxels all around it."""
    right, down, step, start = np.array(stack.affine)[:3].T
    normal = np.cross(right, down)
    height = np.tensordot(normal, places - start[:, None, None], 1) / (normal @ step)
    inside = np.ones(places.shape[1:], bool)
    for number in (np.floor(height + 1e-6), np.ceil(height - 1e-6)):
        beside = places - start[:, None, None] - step[:, None, None] * number
        i, j = (np.tensordot(axis, beside, 1) / (axis @ axis) for axis in (right, down))
        inside &= (number >= 0) & (number < stack.count) & (i >= -1e-6) & (j >= -1e-6)
        inside &= (i <= stack.columns - 1 + 1e-6) & (j <= stack.rows - 1 + 1e-6)
    return inside


class TestPlaces:
    """Linear interpolation is exact on a linear function: every pixel must have the value of its place."""

    @pytest.mark.parametrize("name", list(PlaneName))
    @pytest.mark.parametrize(
        "options",
        [
            {"orientation": AXIAL},
            {"orientation": CORONAL},
            {"orientation": SAGITTAL},
            {"orientation": FEET_TO_HEAD_FLIPPED},
            {"orientation": PRONE},
            {"orientation": OBLIQUE},
            {"spacing": 0.25},
            {"spacing": 0.7},
            {"PixelSpacing": [0.8, 0.3]},
            {"step": (0.0, 0.7, 2.0)},
            {"step": (-0.4, 0.3, 1.0)},
            {"step": (0.0, -1.1, 2.0), "orientation": PRONE, "PixelSpacing": [0.4, 0.6]},
        ],
    )
    def test_every_pixel_has_the_value_of_its_place(
        self, name: PlaneName, options: dict[str, object]
    ) -> None:
        stack = stack_of(**options)
        voxels, grid, planes = ramp_of(stack)
        plane = planes[name]
        seen = 0
        for index in range(plane.count):
            picture, places = reslice(voxels, grid, plane, (index, index)), places_of(plane, index)
            is_known = is_between_voxels(stack, places)
            expected = np.tensordot(RAMP, places, 1)
            np.testing.assert_allclose(picture[is_known], expected[is_known], atol=1e-6)
            seen += is_known.sum()
        assert seen > 0.5 * 8 * 8 * 5

    def test_a_plane_of_the_slices_is_the_slice(self) -> None:
        stack = stack_of(4)
        values = np.random.default_rng(1).integers(-1000, 3000, (4, 8, 8)).astype(np.int16)
        grid = grid_of(stack)
        plane = planes_of(grid)[PlaneName.AXIAL]
        for index in range(4):
            picture = reslice(Voxels(values), grid, plane, (index, index))
            np.testing.assert_array_equal(picture, values[index])

    def test_other_planes_are_the_stacked_slices_head_up(self) -> None:
        # Slices as thick as pixels: nothing is between them, and plain stacking is the whole truth.
        values = np.random.default_rng(2).integers(-1000, 3000, (5, 8, 8)).astype(np.int16)
        grid = grid_of(stack_of(5, spacing=0.5))
        planes = planes_of(grid)
        coronal = reslice(Voxels(values), grid, planes[PlaneName.CORONAL], (3, 3))
        np.testing.assert_array_equal(coronal, values[::-1, 3, :])
        # Sagittal planes are counted to the patient's right: plane 0 is the last column.
        sagittal = reslice(Voxels(values), grid, planes[PlaneName.SAGITTAL], (2, 2))
        np.testing.assert_array_equal(sagittal, values[::-1, :, 5])

    def test_a_straight_bar_through_tilted_slices_stays_straight(self) -> None:
        # The gantry was tilted, so each slice begins 1 mm (2 pixels) further back; a bar along the table, at 2.5 mm
        # from the first row of the first slice, is seen 2 pixels further to the front in each.
        values = np.zeros((3, 12, 4), np.int16)
        for k in range(3):
            values[k, 5 - 2 * k, :] = 100
        stack = stack_of(3, step=(0.0, 1.0, 2.0))
        stack = type(stack)(**{**vars(stack), "rows": 12, "columns": 4})
        grid = grid_of(stack)
        plane = planes_of(grid)[PlaneName.SAGITTAL]
        picture = reslice(Voxels(values), grid, plane, (1, 1))
        assert set(np.nonzero(np.nan_to_num(picture))[1]) == {5}
        assert (picture[:, 5] == 100).all()


class TestSlabs:
    def test_planes_within_half_the_thickness_take_part(self) -> None:
        _, _, planes = ramp_volume(spacing=2.0)
        axial, coronal = planes[PlaneName.AXIAL], planes[PlaneName.CORONAL]
        assert slab_range(axial, 2, 0.0) == (2, 2)
        assert slab_range(axial, 2, 3.9) == (2, 2)
        assert slab_range(axial, 2, 4.0) == (1, 3)
        assert slab_range(axial, 0, 4.0) == (0, 1)  # cut at the end of the volume
        assert slab_range(coronal, 4, 1.0) == (3, 5)

    @pytest.mark.parametrize("name", list(PlaneName))
    def test_projections_are_those_of_the_voxels(self, name: PlaneName) -> None:
        values = np.random.default_rng(3).integers(0, 1000, (8, 8, 8)).astype(np.uint16)
        grid = grid_of(stack_of(8, spacing=0.5))
        plane = planes_of(grid)[name]
        axis = {"axial": 0, "coronal": 1, "sagittal": 2}[name]
        part = np.take(values, range(2, 7), axis)
        slab = (
            (1, 5) if name is PlaneName.SAGITTAL else (2, 6)
        )  # sagittal planes are counted from the last column
        for projection, reduce in (("average", np.mean), ("maximum", np.max), ("minimum", np.min)):
            expected = reduce(part, axis=axis)
            expected = expected if name is PlaneName.AXIAL else expected[::-1]
            found = reslice(Voxels(values), grid, plane, slab, Projection(projection))
            np.testing.assert_allclose(found, expected, rtol=1e-12)

    def test_a_negative_slope_does_not_turn_maximum_and_minimum_around(self) -> None:
        values = np.arange(4, dtype=np.uint16).reshape(4, 1, 1) * np.ones((4, 8, 8), np.uint16)
        grid = grid_of(stack_of(4))
        plane = planes_of(grid)[PlaneName.AXIAL]
        found = reslice(Voxels(values, Rescale(-2.0, 10.0)), grid, plane, (0, 3), Projection.MAXIMUM)
        assert set(found.ravel()) == {10.0}

    def test_a_slab_of_many_blocks_is_that_of_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        voxels, grid, planes = ramp_volume()
        whole = [reslice(voxels, grid, plane, (1, 4), p) for plane in planes.values() for p in Projection]
        monkeypatch.setattr("imageserver.dicom.reslicing._BLOCK_BYTES", 1)
        parts = [reslice(voxels, grid, plane, (1, 4), p) for plane in planes.values() for p in Projection]
        for one, other in zip(whole, parts, strict=True):
            np.testing.assert_allclose(one, other)


class TestPadding:
    def test_padding_takes_no_part(self) -> None:
        values = np.full((3, 8, 8), 50, np.int16)
        values[1] = -2000
        grid = grid_of(stack_of(3))
        plane = planes_of(grid)[PlaneName.AXIAL]
        voxels = Voxels(values, Rescale(1.0, -10.0), Padding(-2000, -2000))
        assert np.isnan(reslice(voxels, grid, plane, (1, 1))).all()
        for projection in Projection:
            assert set(reslice(voxels, grid, plane, (0, 2), projection).ravel()) == {40.0}

    def test_between_padding_and_a_voxel_the_nearer_one_counts(self) -> None:
        values = np.full((2, 8, 8), 50, np.int16)
        values[1] = -2000  # the upper slice, 2 mm above: four pixels
        grid = grid_of(stack_of(2))
        plane = planes_of(grid)[PlaneName.CORONAL]
        column = reslice(Voxels(values, padding=Padding(-2000, -2000)), grid, plane, (0, 0))[:, 0]
        # At 2, 1.5, 1, 0.5 and 0 mm from the lower slice; the middle belongs to the one that comes second.
        assert np.isnan(column).tolist() == [True, True, False, False, False]
