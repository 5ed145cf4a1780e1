import numpy as np
import pytest

from imageserver.dicom.padding import Padding, blacken_padding, read_padding, without_padding
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

    def test_it_is_compared_with_values_whose_unused_bits_are_masked(self) -> None:
        # 63536 is 0xF830: its 12 stored bits are 0x830, 2096 unsigned and 2096 - 4096 = -2000 signed (PS3.5 8.1.1).
        bits = {"BitsStored": ("US", 12), "HighBit": ("US", 11)}
        value = ("US", 63536)
        assert padding_of(UNSIGNED, PixelPaddingValue=value, **bits) == Padding(2096, 2096)
        assert padding_of(SIGNED, PixelPaddingValue=value, **bits) == Padding(-2000, -2000)

    def test_both_ends_of_a_range_are_masked(self) -> None:
        found = padding_of(
            UNSIGNED,
            PixelPaddingValue=("US", 0xF830),
            PixelPaddingRangeLimit=("US", 0xF840),
            BitsStored=("US", 12),
            HighBit=("US", 11),
        )
        assert found == Padding(0x830, 0x840)

    def test_a_range_that_masking_turns_around_is_its_first_value_alone(self) -> None:
        # 0x0FFF to 0x1001 would become 0x001 to 0xFFF: everything but the range.
        found = padding_of(
            UNSIGNED,
            PixelPaddingValue=("US", 0x0FFF),
            PixelPaddingRangeLimit=("US", 0x1001),
            BitsStored=("US", 12),
            HighBit=("US", 11),
        )
        assert found == Padding(0xFFF, 0xFFF)

    @pytest.mark.parametrize("prefix", ["Float", "DoubleFloat"])
    @pytest.mark.parametrize(
        ("values", "expected"),
        [((-1000.5, None), Padding(-1000.5, -1000.5)), ((0.25, -0.5), Padding(-0.5, 0.25))],
    )
    def test_of_floating_point_pixels(
        self, prefix: str, values: tuple[float, float | None], expected: Padding
    ) -> None:
        pixels = np.zeros((2, 2), np.float32 if prefix == "Float" else np.float64)
        data: dict[str, object] = {f"{prefix}PixelData": pixels.tobytes(), "PixelData": None}
        data[f"{prefix}PixelPaddingValue"], data[f"{prefix}PixelPaddingRangeLimit"] = values
        assert read_padding(read_header(builders.stream(builders.image(UNSIGNED, **data)))) == expected

    def test_none(self) -> None:
        assert padding_of(UNSIGNED) is None
        assert padding_of(np.zeros((2, 2, 3), np.uint8), PixelPaddingValue=("US", 0)) is None


def test_mask() -> None:
    values = np.array([0, 5, 6, 7, 8])
    assert Padding(5, 7).mask(values).tolist() == [False, True, True, True, False]
    assert Padding(5, 5).mask(values).tolist() == [False, True, False, False, False]


def test_mask_of_floating_point_values() -> None:
    # 0.1 of 32 bits is not 0.1 of 64 bits; the file has both in 32.
    values = np.array([0.1, np.nan, 0.2], np.float32)
    assert Padding(float(np.float32(0.1)), float(np.float32(0.1))).mask(values).tolist() == [
        True,
        False,
        False,
    ]


def test_without_padding() -> None:
    values = np.array([[0, 5], [6, 8]])
    assert without_padding(values, Padding(5, 6)).tolist() == [0, 8]
    assert without_padding(values, None) is values


class TestBlackenPadding:
    def test_is_zero_where_the_stored_value_was_padding_and_nothing_else_changes(self) -> None:
        picture, stored = np.array([[9, 8, 7]], np.uint8), np.array([[-1, 0, 1]], np.int16)
        assert blacken_padding(picture, stored, Padding(-1, 0)).tolist() == [[0, 0, 7]]
        assert picture.tolist() == [[9, 8, 7]]

    def test_a_value_that_these_pixels_cannot_hold_blackens_nothing(self) -> None:
        picture, stored = np.array([[9]], np.uint8), np.array([[208]], np.uint8)  # -48 modulo 256 is 208
        assert blacken_padding(picture, stored, Padding(-48, -48)).tolist() == [[9]]
