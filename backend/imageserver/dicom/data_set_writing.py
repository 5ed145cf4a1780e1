"""Writes data sets in explicit VR little endian from the elements of a file as they stand in it (PS3.5 7.1.2)."""

import struct
from collections.abc import Callable, Iterable, Mapping

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from imageserver.dicom.bulk_data import WORDS, swap
from imageserver.dicom.element_vrs import NUMBERS, vr_of
from imageserver.dicom.raw_elements import bytes_of
from imageserver.dicom.sequence_items import name_sequence
from imageserver.dicom.tags import ITEM

LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
SHORT_VRS = frozenset({
    "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST", "TM",
    "UI", "UL", "US",
})  # fmt: skip

_ZERO_PADDED = frozenset({"UI", "OB", "UN"})
_LONGEST_SHORT = 0xFFFE


class NotWritable(ValueError):
    """A value cannot be written again. The message names it by its tag."""


def element_bytes(tag: int, vr: str, value: bytes) -> bytes:
    """Return one element; a value that is too long for its VR becomes one of UN (PS3.5 6.2.2, note 1)."""
    if len(value) % 2:
        value += b"\0" if vr in _ZERO_PADDED else b" "
    return element_head(tag, vr, len(value)) + value


def element_head(tag: int, vr: str, length: int) -> bytes:
    """Return what stands in front of a value of this even length, or of undefined length (0xFFFFFFFF)."""
    if vr not in LONG_VRS and length > _LONGEST_SHORT:
        vr = "UN"
    group_and_element = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode("ascii"))
    if vr in LONG_VRS:
        return group_and_element + struct.pack("<HL", 0, length)
    return group_and_element + struct.pack("<H", length)


def write_data_set(
    dataset: Dataset,
    *,
    is_signed: bool,
    changes: Mapping[int, bytes | None] | None = None,
    is_wanted: Callable[[int], bool] | None = None,
) -> bytes:
    """Write a data set in explicit VR little endian.

    Parameters
    ----------
    dataset : pydicom.Dataset
        As `read_header` gives it, with private elements; not changed. Values stay the bytes that they are: only words
        of big endian are turned round, and only an encoding that is not explicit little endian is taken apart.
    is_signed : bool
        For attributes that are "US or SS".
    changes : mapping of int to bytes or None
        Whole elements by tag, which replace or join those of the data set; None leaves one out.
    is_wanted : function
        Tells by its tag whether an element is to be written; without it, all are.

    Raises
    ------
    NotWritable
        If a value was too long to be read, or a sequence makes no sense.
    """
    changed = dict(changes or {})
    elements = dict(dataset._dict)  # as they are now: pydicom converts some when a sequence is taken apart
    written: list[bytes] = []
    for tag in sorted({*map(int, elements), *changed}):
        if tag & 0xFFFF == 0:  # group lengths are retired (PS3.5 7.2)
            continue
        if is_wanted is not None and not is_wanted(tag):
            continue
        if tag in changed:
            written.append(changed[tag] or b"")
        else:
            written.append(_element(dataset, elements[BaseTag(tag)], is_signed))
    return b"".join(written)


def _element(dataset: Dataset, element: RawDataElement | DataElement, is_signed: bool) -> bytes:
    tag = int(element.tag)
    if not isinstance(element, RawDataElement):
        return _sequence(dataset, tag, is_signed) if element.VR == "SQ" else _converted(element)
    if element.value is None and element.length:
        raise NotWritable(f"the value of ({tag >> 16:04X},{tag & 0xFFFF:04X}) is too long")
    value = element.value or b""
    if element.is_little_endian and not element.is_implicit_VR and element.VR is not None:
        is_known = element.VR in LONG_VRS or element.VR in SHORT_VRS
        return element_bytes(tag, element.VR if is_known else "UN", value)
    vr = vr_of(dataset, element, is_signed)
    if vr == "SQ":
        if element.VR != "SQ":
            name_sequence(dataset, element)
        return _sequence(dataset, tag, is_signed)
    return element_bytes(tag, vr, value if element.is_little_endian else swap(value, WORDS.get(vr, 1)))


def _converted(element: DataElement) -> bytes:
    """Write an element that pydicom has converted, as it does with what it needs itself."""
    vr, value = str(element.VR), element.value
    if (code := NUMBERS.get(vr)) is None:
        return element_bytes(int(element.tag), vr, bytes_of(value))
    numbers = value if isinstance(value, Iterable) else () if value is None else (value,)
    return element_bytes(
        int(element.tag), vr, b"".join(struct.pack(f"<{code}", number) for number in numbers)
    )


def _sequence(dataset: Dataset, tag: int, is_signed: bool) -> bytes:
    """Write a sequence item by item, each with its length."""
    try:
        value = dataset[BaseTag(tag)].value
        items = [write_data_set(item, is_signed=is_signed) for item in value or ()]
    except NotWritable:
        raise
    except Exception as error:  # pydicom raises whatever the bytes provoke
        raise NotWritable(f"the sequence ({tag >> 16:04X},{tag & 0xFFFF:04X}) cannot be read") from error
    head = struct.pack("<HH", ITEM >> 16, ITEM & 0xFFFF)
    return element_bytes(tag, "SQ", b"".join(head + struct.pack("<L", len(item)) + item for item in items))
