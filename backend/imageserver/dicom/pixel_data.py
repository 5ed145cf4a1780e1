"""Where the pixel data of each frame stands: native data at its offset, encapsulated data in fragments."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import BinaryIO

from pydicom.dataset import Dataset

from imageserver.dicom.codestream import is_rle_header
from imageserver.dicom.raw_elements import raw_bytes

Fragment = tuple[int, int]

# How the compressed stream of a frame begins: JPEG and JPEG-LS, JPEG 2000 codestream, JP2 file, JPEG XL.
_STREAM_STARTS = (
    b"\xff\xd8\xff",
    b"\xff\x4f\xff\x51",
    b"\x00\x00\x00\x0cjP  ",
    b"\xff\x0a",
    b"\x00\x00\x00\x0cJXL ",
)
_START_LENGTH = 64  # the header of RLE, which is the longest
_STREAM_END = b"\xff\xd9"  # EOI of JPEG and JPEG-LS, EOC of JPEG 2000


@dataclass(frozen=True)
class PixelData:
    """Position of Pixel Data, Float or Double Float Pixel Data in the stream.

    Attributes
    ----------
    keyword : str
    vr : str or None
        OB or OW; None in implicit VR.
    offset, length : int
        In bytes.
    is_encapsulated : bool
    fragments : list of (int, int)
        Offset and length of each fragment; the first is the Basic Offset Table.
    """

    keyword: str
    vr: str | None
    offset: int
    length: int
    is_encapsulated: bool
    fragments: Sequence[Fragment] = field(default=(), repr=False)


def frame_fragments(
    stream: BinaryIO, pixel_data: PixelData, dataset: Dataset, number_of_frames: int, frame_index: int
) -> list[Fragment]:
    """Find the fragments of one frame.

    Offset tables are believed only where they agree with the fragments. Where they do not, a frame begins
    wherever a fragment begins like a compressed stream. Streams beyond the Number of Frames are left alone.

    Parameters
    ----------
    stream : binary file object
        What `pixel_data` points into.
    pixel_data : PixelData
        Encapsulated.
    dataset : pydicom.Dataset
        For the Extended Offset Table (7FE0,0001).
    number_of_frames : int
        Of the object.
    frame_index : int
        From 0.

    Returns
    -------
    list of (int, int)
        Offset and length of the fragments, at least one.

    Raises
    ------
    ValueError
        If the fragments cannot be told apart.

    References
    ----------
    DICOM PS3.5 A.4; PS3.3 C.7.6.3.1.8
    """
    return fragments_by_frame(stream, pixel_data, dataset, number_of_frames)[frame_index]


def fragments_by_frame(
    stream: BinaryIO, pixel_data: PixelData, dataset: Dataset, number_of_frames: int
) -> list[list[Fragment]]:
    """Find the fragments of all frames; parameters and errors as `frame_fragments`."""
    fragments = filled_fragments(pixel_data)
    if len(fragments) == number_of_frames:
        return [[fragment] for fragment in fragments]
    starts = _starts_by_offsets(stream, pixel_data, dataset, number_of_frames)
    if starts is None:
        starts = stream_starts(stream, fragments)
        if number_of_frames == 1 and not (starts and starts[0] == 0):
            return [fragments]
    if len(starts) < number_of_frames or starts[0] != 0:
        raise ValueError(f"{len(fragments)} fragments cannot be told apart into {number_of_frames} frames")
    ends = [*starts, len(fragments)][1 : number_of_frames + 1]
    return [fragments[start:end] for start, end in zip(starts, ends, strict=False)]


def filled_fragments(pixel_data: PixelData) -> list[Fragment]:
    """Return the fragments that hold something, without the Basic Offset Table."""
    return [fragment for fragment in pixel_data.fragments[1:] if fragment[1]]


def _starts_by_offsets(
    stream: BinaryIO, pixel_data: PixelData, dataset: Dataset, number_of_frames: int
) -> list[int] | None:
    """Return the first fragment of each frame by an offset table; None where no table can be right."""
    index_of = _index_of_offsets(pixel_data)
    table_offset, table_length = pixel_data.fragments[0]
    stream.seek(table_offset)
    basic = stream.read(table_length)
    extended = raw_bytes(dataset, "ExtendedOffsetTable") or b""
    for data, code, size in ((extended, "Q", 8), (basic, "L", 4)):
        offsets = struct.unpack_from(f"<{len(data) // size}{code}", data)
        starts = [index_of.get(offset) for offset in offsets]
        is_plausible = len(starts) == number_of_frames and starts[0] == 0
        if is_plausible and all(a is not None and b is not None and a < b for a, b in pairwise(starts)):
            return [start for start in starts if start is not None]
    return None


def _index_of_offsets(pixel_data: PixelData) -> dict[int, int]:
    """Map what an offset table may say, counted from the first item, to the filled fragment that begins there."""
    index_of, index = {}, 0
    first = pixel_data.fragments[1][0]
    for offset, length in pixel_data.fragments[1:]:
        index_of[offset - first] = index
        index += length > 0
    return index_of


def stream_starts(stream: BinaryIO, fragments: Sequence[Fragment]) -> list[int]:
    """Return which fragments begin like a compressed stream."""
    starts = []
    for index, (offset, length) in enumerate(fragments):
        stream.seek(offset)
        head = stream.read(min(length, _START_LENGTH))
        if head.startswith(_STREAM_STARTS) or is_rle_header(head):
            starts.append(index)
    return starts


def count_whole_streams(stream: BinaryIO, pixel_data: PixelData, ends_in_marker: bool) -> int:
    """Count the compressed streams of encapsulated pixel data that have their end.

    The streams of JPEG, JPEG-LS and JPEG 2000 end in a marker; others have no such end, and are one fragment each.

    Parameters
    ----------
    stream : binary file object
        What `pixel_data` points into.
    pixel_data : PixelData
        Encapsulated.
    ends_in_marker : bool
        Whether the streams are of the first sort.

    Returns
    -------
    int
        0 where the last fragment is not the end of a stream.

    References
    ----------
    DICOM PS3.5 A.4, G.3
    """
    fragments = filled_fragments(pixel_data)
    if not ends_in_marker:
        return len(fragments)
    has_end = []
    for offset, length in fragments:
        size = min(length, 3)
        stream.seek(offset + length - size)
        has_end.append(stream.read(size).rstrip(b"\0").endswith(_STREAM_END))
    return sum(has_end) if has_end and has_end[-1] else 0


def read_fragments(stream: BinaryIO, fragments: Sequence[Fragment]) -> bytes:
    """Join fragments to the compressed stream of a frame."""
    if len(fragments) == 1:
        offset, length = fragments[0]
        stream.seek(offset)
        return stream.read(length)
    parts = []
    for offset, length in fragments:
        stream.seek(offset)
        parts.append(stream.read(length))
    return b"".join(parts)
