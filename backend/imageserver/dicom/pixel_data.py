"""Where the pixel data of each frame stands: native data at its offset, encapsulated data in fragments."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import BinaryIO

from pydicom.dataset import Dataset

from imageserver.dicom.values import raw_bytes

Fragment = tuple[int, int]

# How the compressed stream of a frame begins: JPEG and JPEG-LS, JPEG 2000 codestream, JP2 file.
_STREAM_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")
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
    wherever a fragment begins like a compressed stream.

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
    fragments = [fragment for fragment in pixel_data.fragments[1:] if fragment[1]]
    if number_of_frames == 1:
        return fragments
    if len(fragments) == number_of_frames:
        return [fragments[frame_index]]
    starts = _starts_by_offsets(stream, pixel_data, dataset, fragments, number_of_frames)
    if starts is None:
        starts = _starts_by_content(stream, fragments)
    if len(starts) != number_of_frames:
        raise ValueError(f"{len(fragments)} fragments cannot be told apart into {number_of_frames} frames")
    return fragments[starts[frame_index] : [*starts, len(fragments)][frame_index + 1]]


def _starts_by_offsets(
    stream: BinaryIO,
    pixel_data: PixelData,
    dataset: Dataset,
    fragments: Sequence[Fragment],
    number_of_frames: int,
) -> list[int] | None:
    """Return the first fragment of each frame by an offset table; None where no table can be right."""
    index_of = {offset - 8 - (fragments[0][0] - 8): index for index, (offset, _) in enumerate(fragments)}
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


def _starts_by_content(stream: BinaryIO, fragments: Sequence[Fragment]) -> list[int]:
    starts = []
    for index, (offset, length) in enumerate(fragments):
        stream.seek(offset)
        if stream.read(min(length, 12)).startswith(_STREAM_STARTS):
            starts.append(index)
    return starts


def count_whole_streams(stream: BinaryIO, pixel_data: PixelData, is_rle: bool) -> int:
    """Count the compressed streams of encapsulated pixel data that have their end.

    The streams of JPEG, JPEG-LS and JPEG 2000 end in a marker; one of RLE has no end, and is one fragment (PS3.5 G.3).

    Parameters
    ----------
    stream : binary file object
        What `pixel_data` points into.
    pixel_data : PixelData
        Encapsulated.
    is_rle : bool
        Whether the fragments are RLE Lossless.

    Returns
    -------
    int
        0 where the last fragment is not the end of a stream.
    """
    fragments = [fragment for fragment in pixel_data.fragments[1:] if fragment[1]]
    if is_rle:
        return len(fragments)
    has_end = []
    for offset, length in fragments:
        size = min(length, 3)
        stream.seek(offset + length - size)
        has_end.append(stream.read(size).rstrip(b"\0").endswith(_STREAM_END))
    return sum(has_end) if has_end and has_end[-1] else 0


def read_fragments(stream: BinaryIO, fragments: Sequence[Fragment]) -> bytes:
    """Join fragments to the compressed stream of a frame."""
    parts = []
    for offset, length in fragments:
        stream.seek(offset)
        parts.append(stream.read(length))
    return b"".join(parts)
