import itertools

import numpy as np
import pytest

from imageserver.dicom.orientation import direction_letters, orientation_labels, plane_name
from tests.builders import AXIAL, CORONAL, SAGITTAL


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
