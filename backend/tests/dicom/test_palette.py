"""Segments by PS3.3 C.7.9.2; discrete tables are in test_colour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageserver.dicom.palette import expand_segments


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

    def test_a_few_words_cannot_ask_for_any_number(self) -> None:
        assert len(expand_segments([0, 1, 0] + [1, 65535, 9] * 1000, 256)) <= 256 + 65535

    @given(st.lists(st.integers(0, 65535), max_size=30), st.integers(1, 300))
    def test_nonsense_ends(self, words: list[int], count: int) -> None:
        assert len(expand_segments(words, count)) <= count + 65535
