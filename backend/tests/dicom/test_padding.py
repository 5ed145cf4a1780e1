import numpy as np
import pytest

from imageserver.dicom.padding import Padding, read_padding
from imageserver.dicom.reading import read_header
from tests import builders


def padding_of(pixels: np.ndarray, **attributes: tuple[str, int]) -> Padding | None:
    dataset = builders.image(pixels)
    for keyword, (vr, value) in attributes.items():
        dataset.add_new(keyword, vr, value)
    return read_padding(read_header(builders.stream(dataset)))


UNSIGNED, SIGNED = np.zeros((2, 2), np.uint16), np.zeros((2, 2), np.int16)


class TestReadPadding:
    def test_one_value(self) -> None:
        assert padding_of(UNSIGNED, PixelPaddingValue=("US", 63536)) == Padding(63536, 63536)
        assert padding_of(SIGNED, PixelPaddingValue=("SS", -2000)) == Padding(-2000, -2000)

    @pytest.mark.parametrize("limit", [-2000, -1000])
    def test_a_range_in_either_direction(self, limit: int) -> None:
        value = -3000 - limit
        found = padding_of(SIGNED, PixelPaddingValue=("SS", value), PixelPaddingRangeLimit=("SS", limit))
        assert found == Padding(-2000, -1000)

    def test_a_value_written_with_the_wrong_sign(self) -> None:
        assert padding_of(SIGNED, PixelPaddingValue=("US", 63536)) == Padding(-2000, -2000)
        assert padding_of(UNSIGNED, PixelPaddingValue=("SS", -2000)) == Padding(63536, 63536)

    def test_none(self) -> None:
        assert padding_of(UNSIGNED) is None
        assert padding_of(np.zeros((2, 2, 3), np.uint8), PixelPaddingValue=("US", 0)) is None


def test_mask() -> None:
    values = np.array([0, 5, 6, 7, 8])
    assert Padding(5, 7).mask(values).tolist() == [False, True, True, True, False]
    assert Padding(5, 5).mask(values).tolist() == [False, True, False, False, False]
