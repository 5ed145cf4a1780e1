"""PALETTE COLOR: tables of red, green and blue, discrete or in segments (PS3.3 C.7.6.3.1.5, C.7.9)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset

from imageserver.dicom.lookup_table import as_bytes, read_entries, read_words
from imageserver.dicom.number_values import numbers
from imageserver.dicom.raw_elements import element_of
from imageserver.dicom.value_map import map_values

Element = RawDataElement | DataElement

_COLOURS = ("Red", "Green", "Blue")
_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2


def apply_palette(stored_values: NDArray[Any], dataset: Dataset, *, signed: bool) -> NDArray[np.uint8]:
    """Look the colours of stored values up.

    Parameters
    ----------
    stored_values : numpy.ndarray, shape (rows, columns), any integer type
        Those below the first or beyond the last entry take that entry's colour.
    dataset : pydicom.Dataset
        With the Palette Color Lookup Table module.
    signed : bool
        Whether stored values can be negative.

    Returns
    -------
    numpy.ndarray, shape (rows, columns, 3), uint8
        Of entries of 16 bits, the high byte.

    Raises
    ------
    ValueError
        If a table is missing, damaged or black throughout, or the values are no places in a table.
    """
    if stored_values.ndim != 2 or stored_values.dtype.kind == "f":
        raise ValueError("its pixels are no places in a palette")
    return look_up(stored_values, read_palette(dataset, signed=signed))


class PaletteTable(NamedTuple):
    """The table of one colour: the stored value of its first entry, and all entries in 8 bits."""

    first: int
    entries: NDArray[np.uint8]

    def apply(self, stored_values: NDArray[Any]) -> NDArray[np.uint8]:
        """Look values of any shape up; those outside take the first or last entry."""
        return self.entries[np.clip(stored_values.astype(np.int64) - self.first, 0, len(self.entries) - 1)]


def look_up(stored_values: NDArray[Any], tables: Sequence[PaletteTable]) -> NDArray[np.uint8]:
    """Return the colours of stored values; one more axis, of red, green and blue."""
    rgb = np.empty((*stored_values.shape, 3), np.uint8)
    for index, table in enumerate(tables):
        rgb[..., index] = map_values(stored_values, table.apply)
    return rgb


class _Descriptor(NamedTuple):
    """Red, Green or Blue Palette Color Lookup Table Descriptor."""

    size: int
    first: int
    bits: int


def read_palette(dataset: Dataset, *, signed: bool) -> list[PaletteTable]:
    """Read the tables of red, green and blue; parameters and what is raised as `apply_palette`."""
    descriptors = [_read_descriptor(dataset, colour, signed) for colour in _COLOURS]
    tables = _discrete(dataset, descriptors) or _segmented(dataset, descriptors)
    shift = _bits_of(tables, descriptors[0].bits) - 8
    return [
        PaletteTable(descriptor.first, (entries >> shift).astype(np.uint8))
        for descriptor, entries in zip(descriptors, tables, strict=True)
    ]


def _read_descriptor(dataset: Dataset, colour: str, signed: bool) -> _Descriptor:
    keyword = f"{colour}PaletteColorLookupTableDescriptor"
    values = [int(value) for value in numbers(dataset, keyword, signed=signed)]
    if len(values) != 3 or not 8 <= values[2] <= 16:
        raise ValueError("its palette is damaged")
    count, first, bits = values
    return _Descriptor((count & 0xFFFF) or 65536, first - 65536 if signed and first > 32767 else first, bits)


def _bits_of(tables: list[NDArray[np.uint16]], declared: int) -> int:
    """Tell from all three tables how many bits their entries have: writers say 8 and write 16, and the reverse.

    A palette of 16 bits that stays below 256 would be black throughout, and is one of 8 bits. The standard knows 8 and
    16; a number between is believed where the entries fit.
    """
    highest = max(int(entries.max()) for entries in tables)
    if highest == 0:
        raise ValueError("its palette is black throughout")
    if highest <= 255:
        return 8
    return declared if highest < 1 << declared else 16


def _elements(dataset: Dataset, prefix: str) -> list[Element]:
    """Return the data of the three tables, or of none."""
    keywords = [f"{prefix}{colour}PaletteColorLookupTableData" for colour in _COLOURS]
    found = [element for keyword in keywords if (element := element_of(dataset, keyword)) is not None]
    if len(found) in (1, 2):
        raise ValueError("its palette is missing in part")
    return found


def _discrete(dataset: Dataset, descriptors: list[_Descriptor]) -> list[NDArray[np.uint16]]:
    """Return the entries of discrete tables; empty where there are none."""
    elements = _elements(dataset, "")
    found = [read_entries(element, each.size) for element, each in zip(elements, descriptors, strict=False)]
    tables = [table for table in found if table is not None]
    if len(tables) < len(elements) or len({width for _, width in tables}) > 1:
        raise ValueError("its palette is damaged")
    return [entries for entries, _ in tables]


def _segmented(dataset: Dataset, descriptors: list[_Descriptor]) -> list[NDArray[np.uint16]]:
    """Return the entries of segmented tables, in the declared width, else in the other."""
    elements = _elements(dataset, "Segmented")
    if not elements:
        raise ValueError("its palette is missing")
    # No segment of use takes more than six words and gives less than one entry.
    all_words = [
        read_words(element)[: 6 * each.size] for element, each in zip(elements, descriptors, strict=True)
    ]
    for width in (1, 2) if descriptors[0].bits == 8 else (2, 1):
        tables = [
            expand_segments((as_bytes(words) if width == 1 else words).tolist(), each.size, width=width)
            for words, each in zip(all_words, descriptors, strict=True)
        ]
        if all(len(table) >= each.size for table, each in zip(tables, descriptors, strict=True)):
            return [np.array(t[: d.size], np.uint16) for t, d in zip(tables, descriptors, strict=True)]
    raise ValueError("its palette is damaged")


def expand_segments(words: Sequence[int], count: int, *, width: int = 2) -> list[int]:
    """Expand a segmented table, up to `count` entries.

    Parameters
    ----------
    words : sequence of int
        Segments: opcode, length, and what belongs to it.
    count : int
        Where to stop; a few bytes could ask for any number.
    width : int
        Bytes of each of `words`: 2, or 1 for entries of 8 bits.

    Returns
    -------
    list of int
        Fewer than `count` where the segments end early or make no sense.

    References
    ----------
    DICOM PS3.3 C.7.9.2
    """
    entries: list[int] = []
    parts = 4 // width  # of an offset, which counts bytes and has four of them, the lowest first
    at = 0
    while at + 2 < len(words) and len(entries) < count:
        if words[at] != _INDIRECT:
            at = _expand_one(words, at, entries)
            continue
        offset = words[at + 2 : at + 2 + parts]
        if len(offset) < parts:
            break
        source = sum(part << (8 * width * place) for place, part in enumerate(offset)) // width
        for _ in range(words[at + 1]):
            if source + 2 >= len(words) or words[source] == _INDIRECT or len(entries) >= count:
                break
            source = _expand_one(words, source, entries)
        at += 2 + parts
    return entries


def _expand_one(words: Sequence[int], at: int, entries: list[int]) -> int:
    """Append what a discrete or linear segment stands for; return where the next one begins."""
    opcode, length = words[at], words[at + 1]
    if opcode == _DISCRETE and length:  # empty ones could be walked over for ever, called again and again
        entries.extend(words[at + 2 : at + 2 + length])
        return at + 2 + length
    if opcode == _LINEAR and entries and length:
        start, end = entries[-1], words[at + 2]
        entries.extend(round(start + (end - start) * step / length) for step in range(1, length + 1))
        return at + 3
    return len(words)
