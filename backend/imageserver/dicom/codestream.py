"""What a compressed stream says about itself, read before a decoder believes it: its size, its colour transform."""

from typing import NamedTuple

_NOT_FRAME_HEADERS = (0xC4, 0xC8, 0xCC)  # DHT, JPG, DAC stand in the same range of markers
_JPEG_LS_FRAME_HEADER = 0xF7
_COD = 0x52  # coding style default


class StreamSize(NamedTuple):
    """Rows and columns of the picture in a stream."""

    rows: int
    columns: int


def stream_size(data: bytes) -> StreamSize | None:
    """Read the size of a JPEG, JPEG-LS or JPEG 2000 stream.

    Returns
    -------
    StreamSize or None
        None where the stream says nothing that could be read; for RLE, always.

    References
    ----------
    ITU-T T.81 B.2.2, T.87 C.2.2, T.800 A.5.1
    """
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size(data)
    start = data.find(b"\xff\x4f\xff\x51", 0, 4096)  # a JP2 file has boxes in front
    if start < 0 or len(data) < start + 24:
        return None
    width, height, left, top = (
        int.from_bytes(data[start + i : start + i + 4], "big") for i in (8, 12, 16, 20)
    )
    return StreamSize(height - top, width - left)


def is_decoded_to_rgb(data: bytes) -> bool:
    """Tell whether a JPEG 2000 stream has a multiple component transform, which decoders undo: what they give is RGB.

    Parameters
    ----------
    data : bytes
        A stream of any kind; only the main header is read.

    Returns
    -------
    bool
        False for other streams, and where the header says nothing that could be read.

    References
    ----------
    ITU-T T.800 A.6.1 (COD), G.1; DICOM PS3.5 8.2.4
    """
    start = data.find(b"\xff\x4f\xff\x51", 0, 4096)
    if start < 0 or data.startswith(b"\xff\xd8"):
        return False
    at = start + 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        if data[at + 1] == _COD:
            return data[at + 8] == 1
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def _jpeg_size(data: bytes) -> StreamSize | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        is_frame_header = 0xC0 <= marker <= 0xCF and marker not in _NOT_FRAME_HEADERS
        if is_frame_header or marker == _JPEG_LS_FRAME_HEADER:
            rows, columns = (int.from_bytes(data[at + i : at + i + 2], "big") for i in (5, 7))
            return StreamSize(rows, columns)
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
