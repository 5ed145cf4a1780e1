"""A walk over the elements of a data set that checks its structure before anything is believed or allocated.

pydicom reads a cut or hostile file without complaint (a value shorter than its length, sequences nested a
hundred thousand deep). The walk reads only tags, VRs and lengths: every length must fit into what is left of
its container, and the limits hold.
"""

import struct
import time
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

from imageserver.dicom.encodings import Encoding, is_explicit_inside, is_sequence_tag
from imageserver.dicom.limits import FileRefused, Limits
from imageserver.dicom.oddities import Oddities

UNDEFINED_LENGTH = 0xFFFFFFFF
PIXEL_DATA_TAGS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DELIMITER_LENGTH = 8
_SEQUENCE_DELIMITER = b"\xfe\xff\xdd\xe0\0\0\0\0"
_NUMBER_OF_FRAMES = 0x00280008
_LONG_VRS = frozenset(str(vr).encode() for vr in EXPLICIT_VR_LENGTH_32)
_VRS = {str(vr).encode(): str(vr) for vr in VR if len(str(vr)) == 2}
_CHECK_EVERY = 4096


class Element(NamedTuple):
    """Where one element of the data set stands.

    Attributes
    ----------
    tag : int
    vr : str or None
        None where the encoding does not carry it.
    offset, length : int
        Position and length in bytes of the value in the stream; length may be `UNDEFINED_LENGTH`.
    end : int
        Position behind the value and its delimiter.
    """

    tag: int
    vr: str | None
    offset: int
    length: int
    end: int


class _Broken(Exception):
    """The structure inside a container contradicts itself."""


class _Cut(_Broken):
    """The structure goes on behind the end of the file."""


class ElementWalk:
    """Walks over one data set. Iterate over `elements`; the fragments of pixel data are kept on the way.

    Parameters
    ----------
    stream : binary file object, seekable
    start, end : int
        The part of the stream that holds the data set.
    encoding : Encoding
    limits : Limits

    Attributes
    ----------
    fragments : list of (int, int)
        Offset and length of each fragment of encapsulated pixel data; the first is the Basic Offset Table.
    oddities : Oddities
        What was stepped over on the way.

    References
    ----------
    DICOM PS3.5 7.1, 7.5, A.4
    """

    def __init__(self, stream: BinaryIO, start: int, end: int, encoding: Encoding, limits: Limits) -> None:
        self._stream = stream
        self._start = start
        self._end = end
        self._encoding = encoding
        self._limits = limits
        order = "<" if encoding.is_little_endian else ">"
        self._short = struct.Struct(order + "HH2sH").unpack
        self._long = struct.Struct(order + "HHL").unpack
        self._length = struct.Struct(order + "L").unpack
        self._deadline = time.monotonic() + limits.seconds
        self._elements_left = limits.elements
        self._items_left = limits.items
        self._frames = 1
        self.fragments: list[tuple[int, int]] = []
        self.oddities = Oddities()
        self._has_pixel_data = False

    def elements(self) -> Iterator[Element]:
        """Yield the elements of the data set itself, not those inside sequences.

        Raises
        ------
        FileRefused
            ``truncated``, ``malformed``, ``too_deep``, ``too_many_elements``, ``value_too_long`` or
            ``too_slow``.
        """
        at = self._start
        previous = -1
        while at < self._end:
            try:
                tag, vr, offset, length = self._read_header(at, self._end, self._encoding.is_implicit_vr)
                if self._has_pixel_data and tag in (_ITEM_END, _SEQUENCE_END) and length == 0:
                    self.oddities.trailing += offset - at
                    at = offset
                    continue
                if tag == 0 or tag >> 16 == 0xFFFE:
                    raise _Broken
                end = self._skip_value(tag, vr, offset, length)
            except _Broken as fault:
                if self._is_padding(at):
                    return
                if self._has_pixel_data:  # the image is whole: what follows cannot make it half of one
                    self.oddities.trailing += self._end - at
                    return
                raise self._refusal(at, fault) from None
            if tag < previous and tag >> 16 == 0:
                raise FileRefused("malformed", f"The data set makes no sense at byte {at}.")
            yield Element(tag, vr, offset, length, end)
            self._has_pixel_data |= tag in PIXEL_DATA_TAGS
            previous = tag
            at = end

    def _refusal(self, at: int, fault: _Broken) -> FileRefused:
        if isinstance(fault, _Cut):
            return FileRefused("truncated", f"The file ends in the middle of the element at byte {at}.")
        return FileRefused("malformed", f"The data set makes no sense at byte {at}.")

    def _past(self, end: int) -> _Broken:
        """Name the fault of what goes on behind `end`: the end of the file, or of a container inside it."""
        return _Cut() if end >= self._end else _Broken()

    def allow_frames(self, frames: int) -> None:
        """Widen the limits for an object of so many frames; each takes at least one byte of the file."""
        self._frames = max(1, min(frames, self._end))
        self._elements_left += self._limits.elements_per_frame * self._frames
        self._items_left += self._limits.items_per_frame * self._frames

    def _read_header(self, at: int, end: int, is_implicit_vr: bool) -> tuple[int, str | None, int, int]:
        """Read tag, VR and length of the element at `at`; return them with the offset of the value."""
        self._elements_left -= 1
        if self._elements_left % _CHECK_EVERY == 0 or self._elements_left < 0:
            self._check_budget()
        if at + 8 > end:
            raise self._past(end)
        self._stream.seek(at)
        data = self._stream.read(8)
        if len(data) < 8:
            raise _Cut
        group, element, vr, length = self._short(data)
        tag = group << 16 | element
        if is_implicit_vr or group == 0xFFFE or not b"AA" <= vr <= b"ZZ":
            return tag, None, at + 8, self._long(data)[2]
        name = _VRS.get(vr)
        if name is None and length != 0:
            return tag, vr.decode("ascii", "replace"), at + 8, length
        if name is not None and vr not in _LONG_VRS:
            return tag, name, at + 8, length
        # A VR of tomorrow is written with a long length (PS3.5 7.1.2), so an unknown one is read alike.
        more = self._stream.read(4)
        if len(more) < 4 or at + 12 > end:
            raise self._past(end)
        return tag, name or vr.decode("ascii", "replace"), at + 12, self._length(more)[0]

    def _check_budget(self) -> None:
        if self._elements_left < 0:
            raise FileRefused("too_many_elements", "The data set has more elements than any real object.")
        if time.monotonic() > self._deadline:
            raise FileRefused("too_slow", "Reading the data set takes too long.")

    def _skip_value(self, tag: int, vr: str | None, offset: int, length: int) -> int:
        """Check the value at `offset` of the data set itself and return where it ends."""
        if tag == 0x7FE00010 and length == UNDEFINED_LENGTH:
            return self._skip_pixel_data_fragments(offset)
        if tag in PIXEL_DATA_TAGS and offset + length == self._end + 1 and length % 2 == 0:
            self.oddities.is_pad_byte_missing = True  # whether it was one, the description of the image tells
            return self._end
        end = self._skip_nested(tag, vr, offset, length, self._end, 0)
        is_long = self._limits.value_length < length < UNDEFINED_LENGTH
        if is_long and is_private(tag):
            self.oddities.has_long_private_value = True
        elif is_long and tag not in PIXEL_DATA_TAGS and not self._is_sequence(tag, vr):
            raise FileRefused("value_too_long", f"The value of {_name(tag)} has {length} bytes.")
        if tag == _NUMBER_OF_FRAMES:
            self._read_number_of_frames(offset, length)
        return end

    def _read_number_of_frames(self, offset: int, length: int) -> None:
        self._stream.seek(offset)
        digits = self._stream.read(min(length, 16)).strip(b" \0")
        if digits.isdigit():
            self.allow_frames(int(digits))

    def _is_sequence(self, tag: int, vr: str | None) -> bool:
        if vr == "UN":  # written by a program that did not know the attribute (PS3.5 6.2.2, note 2)
            return self._encoding.is_little_endian and is_sequence_tag(tag)
        return vr == "SQ" or (vr is None and is_sequence_tag(tag))

    def _skip_nested(self, tag: int, vr: str | None, offset: int, length: int, end: int, depth: int) -> int:
        """Check a value inside a container that ends at `end`; return where it ends."""
        if length != UNDEFINED_LENGTH:
            if offset + length > end:
                raise _Cut if offset + length > self._end else _Broken
            if length and self._is_sequence(tag, vr):
                self._skip_defined_sequence(vr, offset, offset + length, depth)
            return offset + length
        if vr in ("OB", "OW"):
            return self._skip_fragments(offset, [])
        return self._skip_items(offset, end, True, self._is_implicit_inside(vr, offset), depth + 1)

    def _is_implicit_inside(self, vr: str | None, offset: int) -> bool:
        """Tell how the items of a sequence are written: like the sequence itself, but in UN implicit VR."""
        if vr != "UN":
            return vr is None or self._encoding.is_implicit_vr
        self._stream.seek(offset)
        return not is_explicit_inside(self._stream.read(16))

    def _skip_defined_sequence(self, vr: str | None, offset: int, end: int, depth: int) -> None:
        """Check a sequence of known length; where its inside is broken the length still leads past it."""
        try:
            self._skip_items(offset, end, False, self._is_implicit_inside(vr, offset), depth + 1)
        except _Broken:
            self.oddities.has_broken_sequence = True

    def _skip_items(self, at: int, end: int, until_delimiter: bool, is_implicit_vr: bool, depth: int) -> int:
        if depth > self._limits.depth:
            raise FileRefused("too_deep", f"Sequences are nested deeper than {self._limits.depth} levels.")
        while at < end:
            tag, _, offset, length = self._read_header(at, end, True)
            if tag == _SEQUENCE_END:
                return offset
            if tag != _ITEM:
                raise _Broken
            at = self._skip_item(offset, length, end, is_implicit_vr, depth)
        if until_delimiter:
            raise self._past(end)
        return at

    def _skip_item(self, at: int, length: int, end: int, is_implicit_vr: bool, depth: int) -> int:
        self._items_left -= 1
        if self._items_left < 0:
            raise FileRefused(
                "too_many_elements", "The data set has more sequence items than any real object."
            )
        item_end = end if length == UNDEFINED_LENGTH else at + length
        if item_end > end:
            raise _Cut if item_end > self._end else _Broken
        while at < item_end:
            tag, vr, offset, value_length = self._read_header(at, item_end, is_implicit_vr)
            if tag == _ITEM_END:
                return offset
            if tag == _SEQUENCE_END and length == UNDEFINED_LENGTH:
                self.oddities.has_open_items = True
                return offset - _DELIMITER_LENGTH
            if tag in (_SEQUENCE_END, _ITEM):
                raise _Broken
            at = self._skip_nested(tag, vr, offset, value_length, item_end, depth)
        if length == UNDEFINED_LENGTH:
            raise self._past(end)
        return at

    def _skip_pixel_data_fragments(self, at: int) -> int:
        """Collect the fragments of pixel data; a missing last delimiter is noted, and judged by their content."""
        try:
            return self._skip_fragments(at, self.fragments)
        except _Cut:
            at = sum(self.fragments[-1]) if self.fragments else at
            self._stream.seek(at)
            rest = self._stream.read(9)
            if not self._encoding.is_little_endian or not _SEQUENCE_DELIMITER.startswith(rest):
                raise
            self.oddities.is_delimiter_missing = True
            return self._end

    def _skip_fragments(self, at: int, fragments: list[tuple[int, int]]) -> int:
        allowed = self._limits.fragments + 2 * self._frames
        while True:
            tag, _, offset, length = self._read_header(at, self._end, True)
            if tag == _SEQUENCE_END:
                return offset
            if tag != _ITEM or length == UNDEFINED_LENGTH:
                raise _Broken
            if offset + length > self._end:
                raise _Cut
            fragments.append((offset, length))
            if len(fragments) > allowed:
                raise FileRefused(
                    "too_many_elements", "The pixel data has more fragments than any real object."
                )
            at = offset + length

    def _is_padding(self, at: int) -> bool:
        """Tell whether only zeros are left, as some archives append them."""
        self._stream.seek(at)
        if any(self._stream.read(8)):
            return False
        self._stream.seek(at)
        left = self._end - at
        while chunk := self._stream.read(min(left, 1 << 20)):
            if any(chunk):
                return False
            left -= len(chunk)
            if not left:
                break
        self.oddities.padding = self._end - at
        return True


def is_private(tag: int) -> bool:
    """Tell whether an attribute is defined by a manufacturer: its group is odd (PS3.5 7.8)."""
    return tag >> 16 & 1 == 1


def _name(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
