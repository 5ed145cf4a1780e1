import itertools

import numpy as np
import pytest

from imageserver.dicom.geometry import (
    affine,
    corrected_orientation,
    direction_letters,
    is_valid_orientation,
    line_through,
    orientation_labels,
    plane_name,
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


class TestDirectionLetters:
    @pytest.mark.parametrize(
        ("direction", "letters"),
        [
            ((1, 0, 0), "L"),
            ((-1, 0, 0), "R"),
            ((0, 1, 0), "P"),
            ((0, -1, 0), "A"),
            ((0, 0, 1), "H"),
            ((0, 0, -1), "F"),
            ((0.8, 0.6, 0), "LP"),
            ((0, 0.5, -0.866), "FP"),
            ((-0.5, -0.5, 0.707), "HRA"),
            ((0.9999, 0.01, -0.01), "L"),
        ],
    )
    def test_strongest_first(self, direction: tuple[float, ...], letters: str) -> None:
        # Axes of PS3.3 C.7.6.2.1.1: x grows to the left, y to the back, z to the head.
        assert direction_letters(direction) == letters


class TestOrientationLabels:
    @pytest.mark.parametrize(
        ("orientation", "labels"),
        [
            (AXIAL, ("R", "L", "A", "P")),
            (CORONAL, ("R", "L", "H", "F")),
            (SAGITTAL, ("A", "P", "H", "F")),
            ((-1.0, 0.0, 0.0, 0.0, -1.0, 0.0), ("L", "R", "P", "A")),  # prone, head first
        ],
        ids=["axial", "coronal", "sagittal", "prone"],
    )
    def test_left_right_top_bottom(self, orientation: tuple[float, ...], labels: tuple[str, ...]) -> None:
        assert orientation_labels(orientation) == labels  # type: ignore[arg-type]

    def test_projections_say_it_in_letters(self) -> None:
        # A mammogram (PS3.3 C.7.6.1.1.1): rows to the front, columns to the feet.
        assert orientation_labels(None, ("A", "FL")) == ("P", "A", "HR", "FL")

    @pytest.mark.parametrize(
        ("written", "labels"),
        [
            (("LE", "D"), ("RT", "LE", "V", "D")),
            (("CR", "V"), ("CD", "CR", "D", "V")),
            (("CRLE", "DI"), ("CDRT", "CRLE", "PR", "DI")),
        ],
    )
    @pytest.mark.parametrize("is_declared", [True, False])
    def test_animals_have_codes_of_two_letters(
        self, written: tuple[str, str], labels: tuple[str, ...], is_declared: bool
    ) -> None:
        # PS3.3 C.7.6.1.1.1
        assert orientation_labels(None, written, is_quadruped=is_declared) == labels

    def test_one_letter_means_something_else_for_an_animal(self) -> None:
        # R is rostral and L is lateral there (PS3.3 C.7.6.1.1.1).
        assert orientation_labels(None, ("R", "L"), is_quadruped=True) == ("CD", "R", "M", "L")

    def test_cosines_of_an_animal(self) -> None:
        assert orientation_labels(AXIAL, is_quadruped=True) == ("RT", "LE", "V", "D")

    @pytest.mark.parametrize("written", [("HFS", "P"), ("L", "x"), ("LEFT", "DOWN"), ("l", "f")])
    def test_other_texts_are_no_labels(self, written: tuple[str, str]) -> None:
        assert orientation_labels(None, written) is None

    def test_unknown(self) -> None:
        assert orientation_labels(None) is None

    @pytest.mark.parametrize("turns", [1, 2, 3])
    def test_turning_the_image_turns_the_labels(self, turns: int) -> None:
        row, column = np.array(CORONAL[:3]), np.array(CORONAL[3:])
        expected = orientation_labels(CORONAL)
        assert expected is not None
        around = [expected.top, expected.right, expected.bottom, expected.left]
        for _ in range(turns):  # counter-clockwise: what was at the right is at the top
            row, column = column, -row
            around = around[1:] + around[:1]
        labels = orientation_labels((*row.tolist(), *column.tolist()))
        assert labels is not None
        assert [labels.top, labels.right, labels.bottom, labels.left] == around


class TestAffine:
    def test_takes_indices_to_patient_coordinates(self) -> None:
        # PS3.3 equation C.7.6.2.1-1 worked out by hand: column 2, row 3, slice 1.
        matrix = affine((10, 20, 30), CORONAL, 0.5, 0.25, (0, 4, 0))
        np.testing.assert_allclose(matrix @ [2, 3, 1, 1], [10 + 2 * 0.25, 20 + 4, 30 - 3 * 0.5, 1])


@pytest.mark.parametrize(
    ("orientation", "name"),
    [
        (AXIAL, "axial"),
        (CORONAL, "coronal"),
        (SAGITTAL, "sagittal"),
        ((1, 0, 0, 0, 0.7071, 0.7071), "oblique"),
    ],
)
def test_plane_name(orientation: tuple[float, ...], name: str) -> None:
    assert plane_name(orientation).startswith(name)  # type: ignore[arg-type]


def test_every_axis_aligned_plane_has_four_different_labels() -> None:
    axes = [s * np.eye(3)[i] for i in range(3) for s in (1, -1)]
    for row, column in itertools.permutations(axes, 2):
        if row @ column == 0:
            labels = orientation_labels((*row.tolist(), *column.tolist()))
            assert labels is not None
            assert len(set(labels)) == 4
