"""The first bits of a JPEG XL stream: what it is, and how large its picture claims to be."""

import struct
from collections.abc import Iterator

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_MAX_BOXES = 32
# ISO/IEC 18181-1 C.2.1, SizeHeader: number of bits of each kind of large size.
_SIZE_BITS = (9, 13, 18, 30)
# Width as a fraction of the height, by the ratio field; 0 means that the width is written out.
_RATIOS = ((0, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def is_jpeg_xl(data: bytes) -> bool:
    """Tell whether a stream is JPEG XL, as a bare codestream or in a container (ISO/IEC 18181-2)."""
    return data.startswith((_CODESTREAM, _CONTAINER))


def jpeg_xl_size(data: bytes) -> tuple[int, int] | None:
    """Read the size of the picture.

    Parameters
    ----------
    data : bytes
        The stream, or its beginning.

    Returns
    -------
    (int, int) or None
        Rows and columns; None where the stream is too short or its container is not understood.

    References
    ----------
    ISO/IEC 18181-1 C.2.1; ISO/IEC 18181-2 9
    """
    start = 0 if data.startswith(_CODESTREAM) else _codestream_in(data)
    if start is None or data[start : start + 2] != _CODESTREAM or len(data) < start + 12:
        return None
    bits = _Bits(int.from_bytes(data[start + 2 : start + 12], "little"))
    is_small = bits.take(1)
    rows = _length(bits, is_small)
    ratio = bits.take(3)
    if ratio == 0:
        return rows, _length(bits, is_small)
    numerator, denominator = _RATIOS[ratio]
    return rows, rows * numerator // denominator


def _codestream_in(data: bytes) -> int | None:
    """Return where the codestream begins in a container: in its box ``jxlc``, or its first box ``jxlp``."""
    for kind, at in _boxes(data):
        if kind == b"jxlc":
            return at
        if kind == b"jxlp":  # parts of a codestream, each behind its number
            return at + 4
    return None


def _boxes(data: bytes) -> Iterator[tuple[bytes, int]]:
    at = 0
    for _ in range(_MAX_BOXES):
        if at + 16 > len(data):
            return
        length, kind = struct.unpack_from(">L4s", data, at)
        content = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, content)
            content += 8
        yield kind, content
        if length < 8:  # 0: up to the end
            return
        at += length


def _length(bits: "_Bits", is_small: int) -> int:
    if is_small:
        return (bits.take(5) + 1) * 8
    return bits.take(_SIZE_BITS[bits.take(2)]) + 1


class _Bits:
    """Bits of a number, the lowest first."""

    def __init__(self, value: int) -> None:
        self._value = value

    def take(self, count: int) -> int:
        taken = self._value & ((1 << count) - 1)
        self._value >>= count
        return taken
