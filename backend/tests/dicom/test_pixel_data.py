"""Frames in fragments, as PS3.5 A.4 allows them and as files have them; the tables and their lies are by hand."""

import io
import struct
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, RLELossless

from imageserver.dicom.pixel_data import (
    PixelData,
    fragments_by_frame,
    frame_fragments,
    read_fragments,
    stream_starts,
)
from imageserver.dicom.reading import FileRefused, read_header
from tests import builders

# What a frame is here: the start of a JPEG stream, a letter, and its end.
FRAMES = [b"\xff\xd8\xff\xe0" + bytes([letter]) * 10 + b"\xff\xd9" for letter in b"ABC"]
Pieces = Sequence[bytes]


def item(data: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + struct.pack("<L", len(data)) + data


def find(
    pieces: Pieces, frame: int, *, frames: int = 3, basic: Sequence[int] = (), extended: Sequence[int] = ()
) -> bytes:
    """The joined fragments of a frame, of pixel data with these fragments and tables."""
    dataset = Dataset()
    if extended:
        dataset.ExtendedOffsetTable = struct.pack(f"<{len(extended)}Q", *extended)
    file, pixel_data = pixel_data_of(pieces, basic)
    return read_fragments(file, frame_fragments(file, pixel_data, dataset, frames, frame))


def pixel_data_of(pieces: Pieces, basic: Sequence[int] = ()) -> tuple[io.BytesIO, PixelData]:
    """A stream of these fragments behind a table, and their places."""
    stream, fragments = b"", []
    for data in (struct.pack(f"<{len(basic)}L", *basic), *pieces):
        fragments.append((len(stream) + 8, len(data)))
        stream += item(data)
    return io.BytesIO(stream), PixelData("PixelData", "OB", 0, len(stream), True, fragments)


def offsets(pieces: Pieces, starts: Sequence[int]) -> list[int]:
    """Offsets of these fragments from the first item behind the Basic Offset Table (PS3.5 A.4)."""
    positions = np.cumsum([0, *(8 + len(piece) for piece in pieces)])
    return [int(positions[start]) for start in starts]


def split(frame: bytes, *cuts: int) -> list[bytes]:
    edges = [0, *cuts, len(frame)]
    return [frame[a:b] for a, b in pairwise(edges)]


class TestOneFragmentForEachFrame:
    @pytest.mark.parametrize("frame", [0, 1, 2])
    def test_without_a_table(self, frame: int) -> None:
        assert find(FRAMES, frame) == FRAMES[frame]

    @pytest.mark.parametrize("table", [[5], [7, 7, 7], [0, 24, 9999], [0, 2**32 - 1, 1]])
    def test_a_lying_table_changes_nothing(self, table: list[int]) -> None:
        assert find(FRAMES, 1, basic=table) == FRAMES[1]
        assert find(FRAMES, 1, extended=table) == FRAMES[1]

    def test_empty_fragments_between_them(self) -> None:
        assert find([FRAMES[0], b"", FRAMES[1], b"", b"", FRAMES[2], b""], 1) == FRAMES[1]


class TestSeveralFragmentsForEachFrame:
    PIECES = (*split(FRAMES[0], 6), *split(FRAMES[1], 4, 8, 12), *split(FRAMES[2], 14))
    STARTS = (0, 2, 6)

    @pytest.mark.parametrize("frame", [0, 1, 2])
    def test_by_the_basic_offset_table(self, frame: int) -> None:
        assert find(self.PIECES, frame, basic=offsets(self.PIECES, self.STARTS)) == FRAMES[frame]

    @pytest.mark.parametrize("frame", [0, 1, 2])
    def test_by_the_extended_offset_table(self, frame: int) -> None:
        assert find(self.PIECES, frame, extended=offsets(self.PIECES, self.STARTS)) == FRAMES[frame]

    @pytest.mark.parametrize("frame", [0, 1, 2])
    def test_by_the_start_of_the_streams(self, frame: int) -> None:
        assert find(self.PIECES, frame) == FRAMES[frame]

    def test_the_right_one_of_two_tables_is_believed(self) -> None:
        right, wrong = offsets(self.PIECES, self.STARTS), [0, 1, 2]
        assert find(self.PIECES, 1, basic=right, extended=wrong) == FRAMES[1]
        assert find(self.PIECES, 1, basic=wrong, extended=right) == FRAMES[1]

    @pytest.mark.parametrize(
        "table",
        [
            [0],  # a table of one frame
            [0, 22],  # one offset too few
            [0, 22, 66, 90],  # one too many
            [0, 66, 22],  # out of order
            [22, 66, 88],  # does not begin with the first
            [0, 0, 0],  # all the same
            [0, 23, 67],  # off by one
            [2**32 - 1] * 3,
        ],
    )
    def test_a_lying_table_is_not_believed(self, table: list[int]) -> None:
        assert [find(self.PIECES, frame, basic=table) for frame in range(3)] == FRAMES
        assert [find(self.PIECES, frame, extended=table) for frame in range(3)] == FRAMES

    def test_a_table_that_counts_empty_fragments(self) -> None:
        pieces = [b"", *self.PIECES[:2], b"", *self.PIECES[2:]]
        # Frames begin at the empty first item and at the empty one before the second frame.
        table = offsets(pieces, (0, 3, 8))
        assert [find(pieces, frame, basic=table) for frame in range(3)] == FRAMES

    def test_streams_without_a_start_cannot_be_told_apart(self) -> None:
        with pytest.raises(ValueError, match="4 fragments cannot be told apart into 3 frames"):
            find([b"aaaa", b"bbbb", b"cccc", b"dddd"], 1)

    def test_a_stream_that_does_not_begin_with_the_first_fragment(self) -> None:
        with pytest.raises(ValueError, match="told apart"):
            find([b"junk", *self.PIECES], 0)


class TestAllFramesAtOnce:
    def test_are_those_that_are_found_one_by_one(self) -> None:
        pieces = TestSeveralFragmentsForEachFrame.PIECES
        file, pixel_data = pixel_data_of(pieces)
        found = fragments_by_frame(file, pixel_data, Dataset(), 3)
        assert [read_fragments(file, fragments) for fragments in found] == FRAMES
        assert found == [frame_fragments(file, pixel_data, Dataset(), 3, frame) for frame in range(3)]


class TestOneFrame:
    @pytest.mark.parametrize("cuts", [(), (2,), (1, 2, 3, 4, 5), (15,)])
    def test_in_any_number_of_fragments(self, cuts: tuple[int, ...]) -> None:
        assert find(split(FRAMES[0], *cuts), 0, frames=1) == FRAMES[0]

    def test_of_unknown_kind(self) -> None:
        assert find([b"abcd", b"efgh"], 0, frames=1) == b"abcdefgh"

    def test_before_further_streams(self) -> None:
        pieces = [*split(FRAMES[0], 8), FRAMES[1], FRAMES[2]]
        assert find(pieces, 0, frames=1) == FRAMES[0]


class TestFramesBeyondTheirNumber:
    def test_are_left_alone(self) -> None:
        assert [find(FRAMES, frame, frames=2) for frame in range(2)] == FRAMES[:2]


@pytest.mark.parametrize(
    "start",
    [
        b"\xff\xd8\xff\xe0",
        b"\xff\x4f\xff\x51\0\x29",
        b"\0\0\0\x0cjP  \r\n",
        b"\xff\x0a\x58\x30",
        b"\0\0\0\x0cJXL \r\n\x87\n",
        struct.pack("<16L", 2, 64, 100, *[0] * 13),
    ],
)
def test_every_kind_of_stream_is_known_by_its_start(start: bytes) -> None:
    data = start + bytes(range(1, 200))
    assert stream_starts(io.BytesIO(b"\1" * 10 + data), [(0, 10), (10, len(data))]) == [1]


class TestInAFile:
    """What the reader says about fragments that do not go with the Number of Frames."""

    def file(self, frames: Pieces, number: int, **options: bool) -> io.BytesIO:
        dataset = builders.image(np.zeros((max(number, 2), 12, 16), np.uint8), NumberOfFrames=number)
        return builders.stream(builders.encapsulated(dataset, list(frames), **options), JPEG2000Lossless)

    def test_more_frames_than_fragments(self) -> None:
        with pytest.raises(FileRefused) as caught:
            read_header(self.file(FRAMES, 4))
        assert caught.value.code == "truncated_pixel_data"

    def test_more_streams_than_frames(self) -> None:
        header = read_header(self.file(FRAMES, 2))
        assert "surplus_frames" in [finding.code for finding in header.warnings]

    def test_several_fragments_are_no_surplus(self) -> None:
        header = read_header(self.file(FRAMES, 3, fragments_per_frame=2))
        assert "surplus_frames" not in [finding.code for finding in header.warnings]

    def test_no_fragments_at_all(self) -> None:
        dataset = builders.image(np.zeros((12, 16), np.uint8))
        builders.encapsulated(dataset, [b"ab"])
        dataset.PixelData = item(b"")
        with pytest.raises(FileRefused) as caught:
            read_header(builders.stream(dataset, RLELossless))
        assert caught.value.code == "truncated_pixel_data"
