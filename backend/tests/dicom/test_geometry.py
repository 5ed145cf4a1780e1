import numpy as np
import pytest

from imageserver.dicom.geometry import (
    affine,
    common_step,
    corrected_orientation,
    is_valid_orientation,
    line_through,
    plane_normal,
    project,
)
from tests.builders import AXIAL, CORONAL, SAGITTAL


class TestPlaneNormal:
    @pytest.mark.parametrize(
        ("orientation", "normal"),
        [(AXIAL, (0, 0, 1)), (CORONAL, (0, 1, 0)), (SAGITTAL, (-1, 0, 0))],
        ids=["axial", "coronal", "sagittal"],
    )
    def test_row_times_column(self, orientation: tuple[float, ...], normal: tuple[float, ...]) -> None:
        np.testing.assert_allclose(plane_normal(orientation), normal)

    def test_has_length_one_for_rounded_cosines(self) -> None:
        assert np.linalg.norm(plane_normal((0.999, 0.03, 0, -0.03, 0.999, 0))) == pytest.approx(1)

    def test_projection_is_the_distance_along_it(self) -> None:
        positions = np.array([[5.0, 7.0, 1.0], [9.0, -7.0, 3.5]])
        np.testing.assert_allclose(project(positions, plane_normal(AXIAL)), [1.0, 3.5])


class TestIsValidOrientation:
    def test_unit_vectors_at_a_right_angle(self) -> None:
        assert is_valid_orientation(AXIAL)
        assert is_valid_orientation((0.7071, 0.7071, 0, -0.7071, 0.7071, 0))

    @pytest.mark.parametrize(
        "bad", [(0,) * 6, (1, 0, 0, 1, 0, 0), (2, 0, 0, 0, 1, 0), (1, 0, 0, 0.5, 0.866, 0)]
    )
    def test_anything_else(self, bad: tuple[float, ...]) -> None:
        assert not is_valid_orientation(bad)


class TestCorrectedOrientation:
    @pytest.mark.parametrize(
        "cosines",
        [(1.05, 0, 0, 0, 0.95, 0), (1, 0, 0, 0.08, 1, 0), (0.57, 0.57, 0.57, -0.71, 0.71, 0)],
        ids=str,
    )
    def test_is_the_nearest_pair_of_axes(self, cosines: tuple[float, ...]) -> None:
        axes = corrected_orientation(cosines)  # type: ignore[arg-type]
        assert axes is not None
        row, column = np.array(axes[:3]), np.array(axes[3:])
        assert [row @ row, column @ column, row @ column] == pytest.approx([1, 1, 0])
        np.testing.assert_allclose(axes, cosines, atol=0.1)

    def test_rounded_axes_stay_as_they_are(self) -> None:
        rounded = (0.7071, 0.7071, 0.0, -0.7071, 0.7071, 0.0)
        assert corrected_orientation(rounded) is rounded

    @pytest.mark.parametrize(
        "bad", [(0,) * 6, (1, 0, 0, 1, 0, 0), (1.2, 0, 0, 0, 1, 0), (np.nan,) * 6], ids=str
    )
    def test_what_is_far_from_axes_is_none(self, bad: tuple[float, ...]) -> None:
        assert corrected_orientation(bad) is None  # type: ignore[arg-type]


class TestLineThrough:
    def test_points_to_head_left_or_back(self) -> None:
        places = np.array([[0, 0, 9.0], [0, 0, 0], [0, 0, 3]])
        assert line_through(places) == pytest.approx([0, 0, 1])
        assert line_through(-places) == pytest.approx([0, 0, 1])

    @pytest.mark.parametrize(
        "places", [[[1, 2, 3]] * 3, [[0, 0, 0], [5, 0, 0], [0, 5, 0]]], ids=["one", "plane"]
    )
    def test_one_point_or_a_plane_has_none(self, places: list[list[float]]) -> None:
        assert line_through(np.array(places, float)) is None


class TestAffine:
    def test_takes_indices_to_patient_coordinates(self) -> None:
        # PS3.3 equation C.7.6.2.1-1 worked out by hand: column 2, row 3, slice 1.
        matrix = affine((10, 20, 30), CORONAL, 0.5, 0.25, (0, 4, 0))
        np.testing.assert_allclose(matrix @ [2, 3, 1, 1], [10 + 2 * 0.25, 20 + 4, 30 - 3 * 0.5, 1])


class TestCommonStep:
    def test_leads_from_each_slice_to_the_next(self) -> None:
        places = np.array([[0, 0, 0], [0, 1, 2.01], [0, 2, 4.0]])
        assert common_step(places, 0.02) == pytest.approx([0, 1, 2])

    def test_is_zero_for_one_slice(self) -> None:
        assert common_step(np.array([[1.0, 2, 3]]), 0.02) == pytest.approx([0, 0, 0])

    def test_uneven_slices_have_none(self) -> None:
        assert common_step(np.array([[0, 0, 0], [0, 0, 2.1], [0, 0, 4.0]]), 0.02) is None
