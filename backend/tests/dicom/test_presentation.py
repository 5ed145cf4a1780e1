import numpy as np
import pytest

from imageserver.dicom.presentation import apply_polarity, reduce_to_8_bit, to_8_bit


def test_monochrome1_is_turned_around_and_nothing_else() -> None:
    intensities = np.array([0, 0.25, 1])
    assert apply_polarity(intensities, "MONOCHROME1").tolist() == [1, 0.75, 0]
    assert apply_polarity(intensities, "MONOCHROME2").tolist() == [0, 0.25, 1]


def test_8_bits_round_half_up() -> None:
    assert to_8_bit(np.array([0, 0.5 / 255 - 1e-9, 0.5 / 255 + 1e-9, 0.5, 1])).tolist() == [0, 0, 1, 128, 255]


def test_not_a_number_is_black() -> None:
    assert to_8_bit(np.array([np.nan])).tolist() == [0]


@pytest.mark.parametrize(
    ("bits", "values", "expected"),
    [
        (8, [0, 200], [0, 200]),
        (16, [0, 0x80FF, 65535], [0, 128, 255]),
        (12, [4095, 16], [255, 1]),
        (1, [0, 1], [0, 255]),
    ],
)
def test_colour_samples_are_brought_to_8_bits(bits: int, values: list[int], expected: list[int]) -> None:
    assert reduce_to_8_bit(np.array(values, np.uint16), bits).tolist() == expected
