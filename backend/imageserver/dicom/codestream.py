"""What a compressed stream says about itself, read before a decoder believes it: its kind, size and depth."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from imageserver.dicom.jpeg_xl import is_jpeg_xl, jpeg_xl_size

_JPEG_START = b"\xff\xd8"
_JPEG_2000_START = b"\xff\x4f\xff\x51"
_JPEG_2000_MAIN_HEADER = 4096  # a JP2 file has boxes in front of the codestream
_SOS, _EOI, _DHP, _JPEG_LS_FRAME = 0xDA, 0xD9, 0xDE, 0xF7
_CAP, _COD, _SOT = 0x50, 0x52, 0x90
_MULTIPLE_COMPONENTS, _REVERSIBLE = 1, 1
_RLE_HEADER = struct.Struct("<16L")


class StreamKind(StrEnum):
    """How a stream is compressed, as far as it decides which decoder can read it."""

    JPEG = "JPEG"
    JPEG_PROGRESSIVE = "progressive JPEG"
    JPEG_ARITHMETIC = "arithmetic JPEG"
    JPEG_PROGRESSIVE_ARITHMETIC = "progressive arithmetic JPEG"
    JPEG_LOSSLESS = "lossless JPEG"
    JPEG_LOSSLESS_ARITHMETIC = "lossless arithmetic JPEG"
    JPEG_HIERARCHICAL = "hierarchical JPEG"
    JPEG_LS = "JPEG-LS"
    JPEG_2000 = "JPEG 2000"
    HTJ2K = "High-Throughput JPEG 2000"
    JPEG_XL = "JPEG XL"
    RLE = "RLE"


# ITU-T T.81 table B.1: the start of frame (SOF) marker names the process.
_KIND_OF_FRAME = {
    0xC0: StreamKind.JPEG,
    0xC1: StreamKind.JPEG,
    0xC2: StreamKind.JPEG_PROGRESSIVE,
    0xC3: StreamKind.JPEG_LOSSLESS,
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), StreamKind.JPEG_HIERARCHICAL),
    0xC9: StreamKind.JPEG_ARITHMETIC,
    0xCA: StreamKind.JPEG_PROGRESSIVE_ARITHMETIC,
    0xCB: StreamKind.JPEG_LOSSLESS_ARITHMETIC,
    _JPEG_LS_FRAME: StreamKind.JPEG_LS,
}


class StreamSize(NamedTuple):
    """Rows and columns of the picture in a stream."""

    rows: int
    columns: int


@dataclass(frozen=True)
class StreamHeader:
    """The start of a compressed stream.

    Attributes
    ----------
    kind : StreamKind
    size : StreamSize or None
        None where the stream does not say it, as RLE, or says it where it was not looked for.
    precision : int or None
        Bits per sample, of JPEG and JPEG 2000.
    is_lossless : bool
        Whether the stream tells that decoding gives back what was encoded.
    is_signed : bool or None
        Whether the samples of JPEG 2000 can be negative; None for others, whose streams do not say it.
    is_decoded_to_rgb : bool
        Whether decoders undo a colour transform, so that what they give is RGB (T.800 G.1; PS3.5 8.2.4).
    """

    kind: StreamKind
    size: StreamSize | None = None
    precision: int | None = None
    is_lossless: bool = False
    is_decoded_to_rgb: bool = False
    is_signed: bool | None = None


def read_stream_header(data: bytes) -> StreamHeader | None:
    """Tell what a compressed stream is, from its own first bytes and markers.

    Parameters
    ----------
    data : bytes
        The stream of one frame, or its beginning.

    Returns
    -------
    StreamHeader or None
        None where the bytes are none of the kinds, or too damaged to tell.

    References
    ----------
    ITU-T T.81 B.1, B.2.2; T.87 C.2.2; T.800 A.5.1, A.6.1; T.814 A.2; ISO/IEC 18181-1 and -2; DICOM PS3.5 G.5
    """
    if data.startswith(_JPEG_START):
        return _read_jpeg_header(data)
    if is_jpeg_xl(data):
        size = jpeg_xl_size(data)
        return StreamHeader(StreamKind.JPEG_XL, StreamSize(*size) if size else None, is_decoded_to_rgb=True)
    start = data.find(_JPEG_2000_START, 0, _JPEG_2000_MAIN_HEADER)
    if start >= 0 and (start == 0 or data.startswith(b"\0\0\0\x0cjP")):
        return _read_jpeg_2000_header(data, start)
    return StreamHeader(StreamKind.RLE, is_lossless=True) if is_rle_header(data) else None


def without_fill_bytes(data: bytes) -> bytes:
    """Drop the fill bytes FF that some writers put in front of the first marker; decoders look for it first."""
    at = data.find(b"\xd8", 2, 64)
    return data[at - 1 :] if at > 0 and data[:at].strip(b"\xff") == b"" else data


def _read_jpeg_header(data: bytes) -> StreamHeader | None:
    header = None
    for marker, at, length in _jpeg_segments(data):
        if marker == _DHP:  # hierarchical: the frames that follow are stages of one picture
            return StreamHeader(StreamKind.JPEG_HIERARCHICAL)
        kind = _KIND_OF_FRAME.get(marker)
        if kind is not None and header is None and len(data) >= at + 5:
            precision, rows, columns = struct.unpack_from(">BHH", data, at)
            is_lossless = kind in (StreamKind.JPEG_LOSSLESS, StreamKind.JPEG_LOSSLESS_ARITHMETIC)
            header = StreamHeader(kind, StreamSize(rows, columns), precision, is_lossless)
        if marker == _SOS:
            is_near = length < 3 or data[at + length - 3 : at + length - 2] != b"\0"  # NEAR of T.87 C.2.3
            if header is not None and header.kind is StreamKind.JPEG_LS and not is_near:
                return StreamHeader(header.kind, header.size, header.precision, is_lossless=True)
            break
    return header


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, offset and length of the parameters of each segment, up to the first scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or marker == _EOI:
            return
        yield marker, at + 4, length - 2
        if marker == _SOS:
            return
        at += 2 + length


def _read_jpeg_2000_header(data: bytes, start: int) -> StreamHeader | None:
    if len(data) < start + 42:
        return None
    width, height, left, top = struct.unpack_from(">4L", data, start + 8)
    component = data[start + 42] if len(data) > start + 42 else None  # Ssiz of T.800 A.5.1
    precision = None if component is None else (component & 0x7F) + 1
    is_signed = None if component is None else bool(component & 0x80)
    is_high_throughput = is_lossless = is_decoded_to_rgb = False
    for marker, at in _jpeg_2000_segments(data, start + 2):
        is_high_throughput |= marker == _CAP and _has_part_15(data, at)
        if marker == _COD and len(data) >= at + 10:
            is_decoded_to_rgb = data[at + 4] == _MULTIPLE_COMPONENTS
            is_lossless = data[at + 9] == _REVERSIBLE
    kind = StreamKind.HTJ2K if is_high_throughput else StreamKind.JPEG_2000
    size = StreamSize(height - top, width - left)
    return StreamHeader(kind, size, precision, is_lossless, is_decoded_to_rgb, is_signed)


def _has_part_15(data: bytes, at: int) -> bool:
    """Tell whether capabilities name part 15, high throughput: bit 15 of Pcap, counted from the top (T.814 A.2)."""
    return len(data) >= at + 4 and bool(int.from_bytes(data[at : at + 4], "big") >> 17 & 1)


def _jpeg_2000_segments(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield marker and offset of the parameters of each segment of the main header."""
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != _SOT:
        yield data[at + 1], at + 4
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))


def is_rle_header(data: bytes) -> bool:
    """Tell whether 64 bytes are the header of RLE beyond doubt: segments in order, all else zero (PS3.5 G.5)."""
    if len(data) < _RLE_HEADER.size:
        return False
    count, *offsets = _RLE_HEADER.unpack_from(data)
    if not 1 <= count <= 15 or offsets[0] != _RLE_HEADER.size or any(offsets[count:]):
        return False
    return all(a < b for a, b in pairwise(offsets[:count]))
