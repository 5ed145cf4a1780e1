import numpy as np
import pytest

from imageserver.dicom.spacing import beside_the_line, is_tilted, is_uniform, line_of, measured_spacing


def along_z(places: list[float], shear: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    z = np.array(places)
    return np.stack([0 * z, shear * z, z], axis=1), z


class TestMeasuredSpacing:
    def test_is_the_median(self) -> None:
        assert measured_spacing(np.array([0, 2, 4, 9.0])) == 2

    def test_repeated_positions_do_not_count(self) -> None:
        assert measured_spacing(np.array([0, 0, 3, 3, 6.0])) == 3

    def test_one_position_has_none(self) -> None:
        assert measured_spacing(np.array([5.0, 5.0])) is None


@pytest.mark.parametrize(
    ("places", "uniform"), [([0, 3.6, 7.201, 10.8], True), ([0, 2, 4.1, 6.1], False), ([0], True)]
)
def test_is_uniform(places: list[float], uniform: bool) -> None:
    assert is_uniform(np.array(places, float)) is uniform


class TestLine:
    @pytest.mark.parametrize(("shear", "degrees"), [(0.0, 0.0), (1.0, 45.0), (-0.7 / 2, 19.29)])
    def test_tilt_is_the_angle_to_the_normal(self, shear: float, degrees: float) -> None:
        line = line_of(*along_z([0, 2, 4, 6], shear))
        assert line.tilt_degrees == pytest.approx(degrees, abs=5e-3)
        assert is_tilted(line) is (degrees > 0)

    @pytest.mark.parametrize("count", [6, 200])
    def test_a_few_slices_elsewhere_do_not_move_it(self, count: int) -> None:
        positions, places = along_z([2.0 * i for i in range(count)], 0.5)
        positions[-1, 0] += 30
        line = line_of(positions, places)
        assert line.tilt_degrees == pytest.approx(26.565, abs=1e-3)  # atan(0.5)
        assert beside_the_line(line, 2.0).tolist() == [count - 1]
        assert line.beside_mm[-1] == pytest.approx(30)

    def test_one_place_has_no_direction(self) -> None:
        line = line_of(*along_z([4, 4, 4]))
        assert (line.tilt_degrees, line.beside_mm.tolist()) == (0, [0, 0, 0])

    def test_rounded_positions_lie_on_it(self) -> None:
        positions, places = along_z([0.7 * i for i in range(50)], 0.3)
        line = line_of(np.round(positions, 2), places)
        assert not len(beside_the_line(line, 0.7))
