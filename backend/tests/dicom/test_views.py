"""Views of a volume from any direction: what lies where, by geometry alone."""

import numpy as np
import pytest

from imageserver.dicom.arrangement import FrameReference, Stack
from imageserver.dicom.padding import Padding
from imageserver.dicom.reslicing import Projection, Voxels
from imageserver.dicom.views import LONGEST_SIDE, Camera, camera_of, middle_of, sample_view, view_of

SHAPE = (7, 9, 11)  # slices, rows, columns
CUBE = np.random.default_rng(8).integers(0, 1000, SHAPE).astype(np.int16)


def stack_of(shear: float = 0.0, scale: float = 1.0) -> Stack:
    """Axial slices 1 mm apart with pixels of 1 mm, the first pixel at (-5, -4, 10)."""
    count, rows, columns = SHAPE
    affine = (
        (scale, 0.0, 0.0, -5.0),
        (0.0, scale, shear, -4.0),
        (0.0, 0.0, scale, 10.0),
        (0.0, 0.0, 0.0, 1.0),
    )
    frames = tuple(FrameReference(f"1.{number}", 1) for number in range(count))
    return Stack(
        0, frames, tuple(map(float, range(count))), rows, columns, scale, scale, scale, None, None, affine=affine
    )  # fmt: skip


def shown(
    camera: Camera, stack: Stack, slab_mm: float = 0, how: Projection = Projection.AVERAGE
) -> np.ndarray:
    view = view_of(camera, stack, slab_mm)
    assert view is not None
    return sample_view(Voxels(CUBE), stack, view, slab_mm, how)


def known(values: np.ndarray) -> np.ndarray:
    """The part of a picture that has values."""
    rows, columns = np.nonzero(~np.isnan(values))
    return values[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


class TestSides:
    """PS3.18 8.3.5.3.4: the camera is at that side of the patient; up is to the head, or to the front."""

    # Slices upwards, rows to the back, columns to the left: the slice through the middle voxel (5, 4, 3).
    @pytest.mark.parametrize(
        ("orientation", "expected"),
        [
            ("f", CUBE[3]),  # as radiologists look at axial slices: the patient's right at the left
            ("h", CUBE[3][:, ::-1]),
            ("a", CUBE[::-1, 4, :]),
            ("p", CUBE[::-1, 4, ::-1]),
            ("l", CUBE[::-1, :, 5]),  # the front at the left
            ("r", CUBE[::-1, ::-1, 5]),
        ],
    )
    def test_of_the_patient(self, orientation: str, expected: np.ndarray) -> None:
        stack = stack_of()
        picture = shown(camera_of(orientation, middle_of(stack)), stack)
        np.testing.assert_allclose(known(picture), expected, atol=1e-6)


def test_a_field_that_grows_evenly_is_met_exactly_from_anywhere() -> None:
    """Interpolation between eight voxels is exact for a + bx + cy + dz, so every pixel tells where it lies."""
    stack = stack_of(shear=0.3)
    matrix = np.array(stack.affine)
    slices, rows, columns = np.meshgrid(*map(np.arange, SHAPE), indexing="ij")
    places = np.stack([columns, rows, slices], -1) @ matrix[:3, :3].T + matrix[:3, 3]
    field = places @ [3.0, -2.0, 5.0] + 100
    camera = Camera((20.0, -30.0, 40.0), (0.5, 0.5, 13.0), (0.1, 0.2, 1.0))
    view = view_of(camera, stack, 0)
    assert view is not None
    values = sample_view(Voxels(field), stack, view, 0, Projection.AVERAGE)
    down, across = np.mgrid[0 : view.rows, 0 : view.columns] * view.spacing_mm
    pixels = view.origin + down[..., None] * view.down + across[..., None] * view.right
    is_known = ~np.isnan(values)
    assert is_known.sum() > 40
    np.testing.assert_allclose(values[is_known], (pixels @ [3.0, -2.0, 5.0] + 100)[is_known], atol=1e-6)


def test_the_middle_of_the_view_is_what_is_looked_at() -> None:
    """PS3.17 XXX.8: V = T + X W/2 + Y H/2."""
    camera = Camera((9.0, 9.0, 30.0), (1.0, -2.0, 12.0), (0.0, 1.0, 0.0))
    view = view_of(camera, stack_of(), 0)
    assert view is not None
    middle = view.origin + view.spacing_mm * (
        (view.columns - 1) / 2 * view.right + (view.rows - 1) / 2 * view.down
    )
    np.testing.assert_allclose(middle, camera.look_at)


class TestSlabs:
    @pytest.mark.parametrize(
        ("how", "reduce"),
        [(Projection.AVERAGE, np.mean), (Projection.MAXIMUM, np.max), (Projection.MINIMUM, np.min)],
    )
    def test_project_the_planes_within(self, how: Projection, reduce: object) -> None:
        stack = stack_of()
        picture = shown(camera_of("f", middle_of(stack)), stack, 4.0, how)
        np.testing.assert_allclose(known(picture), reduce(CUBE[1:6], axis=0), atol=1e-6)  # type: ignore[operator]

    def test_what_lies_outside_does_not_take_part(self) -> None:
        stack = stack_of()
        picture = shown(camera_of("f", (0.0, 0.0, 10.0)), stack, 4.0)
        np.testing.assert_allclose(known(picture), CUBE[:3].mean(axis=0), atol=1e-6)


class TestEdges:
    def test_a_plane_beside_the_volume(self) -> None:
        assert view_of(camera_of("f", (0.0, 0.0, 9.0)), stack_of(), 0) is None
        assert view_of(camera_of("f", (0.0, 0.0, 9.0)), stack_of(), 2.0) is not None

    @pytest.mark.parametrize(
        "camera",
        [
            Camera((1, 1, 1), (1, 1, 1), (0, 0, 1)),
            Camera((0, 0, 0), (0, 0, 12), (0, 0, 5)),
            Camera((0, 0, 0), (0, 0, 12), (0, 0, 0)),
        ],
    )
    def test_a_camera_without_direction(self, camera: Camera) -> None:
        with pytest.raises(ValueError, match="direction"):
            view_of(camera, stack_of(), 0)

    def test_a_large_volume_has_larger_pixels(self) -> None:
        view = view_of(camera_of("f", (1e5, 0.0, 12.0)), stack_of(), 0)
        assert view is not None
        assert max(view.rows, view.columns) <= LONGEST_SIDE

    def test_padding_is_nothing(self) -> None:
        stack, view = stack_of(), view_of(camera_of("f", (0.0, 0.0, 13.0)), stack_of(), 0)
        assert view is not None
        values = sample_view(Voxels(CUBE, padding=Padding(0, 499)), stack, view, 0, Projection.AVERAGE)
        np.testing.assert_array_equal(np.isnan(known(values)), CUBE[3] < 500)
