"""Elements written by hand, as no writer of DICOM would."""

import io
import struct

from imageserver.dicom.reading import FileRefused, Header, Limits, read_header
from tests.builders import image, to_bytes

UNDEFINED = 0xFFFFFFFF
ITEM_END = struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
LONG_VRS = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
PIXEL_DATA = b"\xe0\x7f\x10\x00"


def explicit(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """One element in explicit VR little endian; `length` may lie."""
    size = len(value) if length is None else length
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    return head + (struct.pack("<HL", 0, size) if vr in LONG_VRS else struct.pack("<H", size)) + value


def implicit(tag: int, value: bytes, length: int | None = None) -> bytes:
    """One element in implicit VR little endian."""
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


def item(content: bytes, length: int | None = None) -> bytes:
    """One item of a sequence."""
    return implicit(0xFFFEE000, content, length)


def before_pixels(elements: bytes, whole: bytes | None = None) -> bytes:
    """A good file, with these bytes in front of its pixel data."""
    whole = to_bytes(image()) if whole is None else whole
    at = whole.index(PIXEL_DATA)
    return whole[:at] + elements + whole[at:]


def outcome(data: bytes, limits: Limits | None = None) -> Header | str:
    """The header, or the code of the refusal; anything else that is raised fails the test."""
    try:
        return read_header(io.BytesIO(data), limits or Limits())
    except FileRefused as error:
        return error.code
