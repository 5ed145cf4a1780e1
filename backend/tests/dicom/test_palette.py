"""Tables by PS3.3 C.7.6.3.1.5 and C.7.6.3.1.6, segments by C.7.9.2; whole pictures are in test_colour."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from imageserver.dicom.palette import apply_palette, expand_segments
from tests.memory import peak_bytes


class TestExpandSegments:
    @pytest.mark.parametrize(
        ("words", "entries"),
        [
            ([0, 3, 7, 8, 9], [7, 8, 9]),
            ([0, 1, 10, 1, 4, 50], [10, 20, 30, 40, 50]),
            ([0, 1, 50, 1, 2, 0], [50, 25, 0]),
            # The indirect segment repeats two segments, beginning at byte 0.
            ([0, 1, 10, 1, 2, 30, 2, 2, 0, 0], [10, 20, 30, 10, 20, 30]),
        ],
        ids=["discrete", "linear up", "linear down", "indirect"],
    )
    def test_examples(self, words: list[int], entries: list[int]) -> None:
        assert expand_segments(words, 100) == entries

    @pytest.mark.parametrize(
        ("segments", "entries"),
        [
            # Entries of 8 bits: the offset is four bytes, the lowest first, and counts bytes.
            ([0, 1, 10, 1, 2, 30, 2, 2, 0, 0, 0, 0], [10, 20, 30, 10, 20, 30]),
            ([0, 2, 5, 6, 0, 1, 10, 1, 2, 30, 2, 2, 4, 0, 0, 0], [5, 6, 10, 20, 30, 10, 20, 30]),
            ([0, 1, 10, 2, 1, 0, 0, 0, 0, 0, 1, 77], [10, 10, 77]),
        ],
        ids=["offset 0", "offset 4", "goes on behind the offset"],
    )
    def test_entries_of_8_bits(self, segments: list[int], entries: list[int]) -> None:
        assert expand_segments(segments, 100, width=1) == entries

    def test_a_few_words_cannot_ask_for_any_number(self) -> None:
        assert len(expand_segments([0, 1, 0] + [1, 65535, 9] * 1000, 256)) <= 256 + 65535

    @given(st.lists(st.integers(0, 65535), max_size=30), st.integers(1, 300))
    def test_nonsense_ends(self, words: list[int], count: int) -> None:
        assert len(expand_segments(words, count)) <= count + 65535


def palette(
    bits: int, red: bytes, green: bytes | None = None, *, count: int = 256, prefix: str = ""
) -> Dataset:
    dataset = Dataset()
    for colour, data in {"Red": red, "Green": green or red, "Blue": red}.items():
        keyword = f"{colour}PaletteColorLookupTable"
        dataset.add_new(f"{keyword}Descriptor", "US", [count, 0, bits])
        dataset.add_new(f"{prefix}{keyword}Data", "OW", data)
    return dataset


def colour_of(stored: int, dataset: Dataset) -> list[int]:
    values = np.array([[stored]], np.uint8)
    colour: list[int] = apply_palette(values, dataset, signed=False)[0, 0].tolist()
    return colour


BYTES = bytes(range(256))
WORDS = np.arange(256, dtype="<u2")
HIGH = WORDS * 256


class TestEntryWidth:
    """Stored value 200 is to be the colour 200, whatever the descriptor says about its bits."""

    @pytest.mark.parametrize("bits", [8, 16])
    @pytest.mark.parametrize(
        "data",
        [BYTES, WORDS.tobytes(), HIGH.tobytes(), (WORDS * 257).tobytes(), HIGH[:255].tobytes()],
        ids=["bytes", "bytes in words", "high bytes", "16 bits", "short by one"],
    )
    def test_of_every_kind(self, data: bytes, bits: int) -> None:
        assert colour_of(200, palette(bits, data)) == [200, 200, 200]

    def test_is_the_same_for_the_three_colours(self) -> None:
        # Says 8 bits, has 16; green alone would look like 8 bits: 0x00FF is next to no green.
        dataset = palette(8, HIGH.tobytes(), np.full(256, 0xFF, "<u2").tobytes())
        assert colour_of(200, dataset) == [200, 0, 200]

    def test_of_segments_is_the_one_that_makes_sense(self) -> None:
        segments = np.array([0, 1, 0, 1, 255, 0xFF00], "<u2").tobytes()
        assert colour_of(200, palette(8, segments, prefix="Segmented")) == [200, 200, 200]

    def test_of_segments_in_bytes(self) -> None:
        assert colour_of(200, palette(8, bytes([0, 1, 0, 1, 255, 255]), prefix="Segmented")) == [
            200,
            200,
            200,
        ]


class TestBombs:
    def test_segments_that_say_nothing_again_and_again(self) -> None:
        # Each indirect segment asks for 65535 segments of no entries, of which there are 10,000.
        words = [2, 65535, 4 * 2 * 5000, 0] * 5000 + [0, 0] * 10_000
        start = time.process_time()
        assert expand_segments(words, 65536) == []
        assert time.process_time() - start < 1

    def test_a_table_far_longer_than_its_entries(self) -> None:
        dataset = palette(16, np.zeros(20_000_000, "<u2").tobytes(), prefix="Segmented")

        def show() -> None:
            with pytest.raises(ValueError, match="palette is damaged"):
                colour_of(0, dataset)

        assert (
            peak_bytes(show) < 130_000_000
        )  # 40 MB of words three times; a list of them would be another 160

    def test_a_large_picture_takes_no_eight_bytes_per_pixel(self) -> None:
        values, dataset = np.zeros((3000, 3000), np.uint8), palette(16, HIGH.tobytes())
        assert peak_bytes(lambda: apply_palette(values, dataset, signed=False)) < 5 * values.size


class TestBitsBetween:
    """PS3.3 C.7.6.3.1.5 knows entries of 8 and of 16 bits; some writers say what their hardware has."""

    def test_are_believed_where_the_entries_fit(self) -> None:
        assert colour_of(200, palette(12, (WORDS * 16).tobytes())) == [200, 200, 200]

    def test_are_16_where_they_do_not_fit(self) -> None:
        assert colour_of(200, palette(12, HIGH.tobytes())) == [200, 200, 200]

    @pytest.mark.parametrize("bits", [0, 7, 17])
    def test_beyond_both_the_palette_is_damaged(self, bits: int) -> None:
        with pytest.raises(ValueError, match="palette is damaged"):
            colour_of(200, palette(bits, HIGH.tobytes()))


class TestCannotBeRight:
    @pytest.mark.parametrize(
        "data", [BYTES[:100], HIGH[:200].tobytes(), b""], ids=["bytes", "words", "empty"]
    )
    def test_too_short(self, data: bytes) -> None:
        with pytest.raises(ValueError, match="palette is damaged"):
            colour_of(0, palette(16, data))

    def test_black_throughout(self) -> None:
        with pytest.raises(ValueError, match="palette is black"):
            colour_of(0, palette(16, bytes(512)))

    def test_tables_of_different_widths(self) -> None:
        with pytest.raises(ValueError, match="palette is damaged"):
            colour_of(0, palette(16, HIGH.tobytes(), BYTES))

    def test_one_table_is_missing(self) -> None:
        dataset = palette(16, HIGH.tobytes())
        del dataset.GreenPaletteColorLookupTableData
        with pytest.raises(ValueError, match="palette is missing"):
            colour_of(0, dataset)

    def test_several_samples_per_pixel(self) -> None:
        with pytest.raises(ValueError, match="palette"):
            apply_palette(np.zeros((2, 2, 3), np.uint8), palette(16, HIGH.tobytes()), signed=False)
