"""Tag, VR and length of one element, and the two ways in which a structure can be broken."""

import struct
from typing import NamedTuple

from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

from imageserver.dicom.budget import Budget
from imageserver.dicom.byte_window import ByteWindow

_LONG_VRS = frozenset(str(vr).encode() for vr in EXPLICIT_VR_LENGTH_32)
_VRS = {str(vr).encode(): str(vr) for vr in VR if len(str(vr)) == 2}
SHORT_VRS = {code: name for code, name in _VRS.items() if code not in _LONG_VRS}
LONG_VRS = {code: name for code, name in _VRS.items() if code in _LONG_VRS}


class Broken(Exception):
    """The structure inside a container contradicts itself."""


class Cut(Broken):
    """The structure goes on behind the end of the file."""


class ElementHeader(NamedTuple):
    """The head of one element.

    Attributes
    ----------
    tag : int
    vr : str or None
        None where the encoding does not carry it.
    offset, length : int
        Position and length in bytes of the value in the file; length may be `UNDEFINED_LENGTH`.
    """

    tag: int
    vr: str | None
    offset: int
    length: int


class ElementHeaders:
    """Reads the heads of elements, wherever they stand (PS3.5 7.1).

    Parameters
    ----------
    window : ByteWindow
    end : int
        Where the file ends.
    is_little_endian : bool
    budget : Budget
        Every head counts.
    """

    def __init__(self, window: ByteWindow, end: int, is_little_endian: bool, budget: Budget) -> None:
        order = "<" if is_little_endian else ">"
        self.window = window
        self.end = end
        self.budget = budget
        self.unpack_explicit = struct.Struct(order + "HH2sH").unpack_from
        self.unpack_implicit = struct.Struct(order + "HHL").unpack_from
        self.unpack_length = struct.Struct(order + "L").unpack_from

    def read(self, at: int, end: int, is_implicit_vr: bool) -> ElementHeader:
        """Read the element at `at` inside a container that ends at `end`.

        Raises
        ------
        Broken, Cut
            If it does not fit.
        FileRefused
            If the data set has too many elements, or takes too long.
        """
        self.budget.take_element()
        if at + 8 > end:
            raise self.past(end)
        place = self.window.place_of(at, 12)
        data = self.window.data
        left = len(data) - place
        if left < 8:
            raise Cut
        group, element, vr, length = self.unpack_explicit(data, place)
        tag = group << 16 | element
        if is_implicit_vr or group == 0xFFFE or not b"AA" <= vr <= b"ZZ":
            return ElementHeader(tag, None, at + 8, self.unpack_implicit(data, place)[2])
        name = _VRS.get(vr)
        if (vr in SHORT_VRS) if name is not None else length != 0:
            return ElementHeader(tag, name or vr.decode("ascii", "replace"), at + 8, length)
        # A VR of tomorrow is written with a long length (PS3.5 7.1.2), so an unknown one is read alike.
        if left < 12 or at + 12 > end:
            raise self.past(end)
        (length,) = self.unpack_length(data, place + 8)
        return ElementHeader(tag, name or vr.decode("ascii", "replace"), at + 12, length)

    def read_item(self, at: int) -> ElementHeader:
        """Read the head of a fragment of pixel data, and nothing of the fragments around it."""
        self.budget.take_element()
        data = self.window.read(at, 8) if at + 8 <= self.end else b""
        if len(data) < 8:
            raise Cut
        group, element, length = self.unpack_implicit(data)
        return ElementHeader(group << 16 | element, None, at + 8, length)

    def past(self, end: int) -> Broken:
        """Name the fault of what goes on behind `end`: the end of the file, or of a container inside it."""
        return Cut() if end >= self.end else Broken()
