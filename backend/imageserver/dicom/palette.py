"""PALETTE COLOR: tables of red, green and blue, discrete or in segments (PS3.3 C.7.6.3.1.5, C.7.9)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from imageserver.dicom.lookup_table import read_words
from imageserver.dicom.values import element_of, numbers

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
        If a table is missing or damaged.
    """
    rgb = np.empty((*stored_values.shape, 3), np.uint8)
    for index, colour in enumerate(_COLOURS):
        first, entries = _read_table(dataset, colour, signed)
        places = np.clip(stored_values.astype(np.int64) - first, 0, len(entries) - 1)
        rgb[..., index] = entries[places]
    return rgb


def _read_table(dataset: Dataset, colour: str, signed: bool) -> tuple[int, NDArray[np.uint8]]:
    """Return the stored value of the first entry, and all entries in 8 bits."""
    keyword = f"{colour}PaletteColorLookupTable"
    descriptor = [int(value) for value in numbers(dataset, f"{keyword}Descriptor", signed=signed)]
    if len(descriptor) != 3 or descriptor[2] not in (8, 16):
        raise ValueError("its palette is damaged")
    count = (descriptor[0] & 0xFFFF) or 65536
    first, bits = descriptor[1], descriptor[2]
    if signed and first > 32767:
        first -= 65536
    entries = _discrete(dataset, f"{keyword}Data", count)
    if entries is None:
        entries = _segmented(dataset, f"Segmented{keyword}Data", count, bits)
    if entries.max() > 255:
        bits = 16  # some writers say 8 and write 16
    return first, (entries >> (bits - 8)).astype(np.uint8)


def _discrete(dataset: Dataset, keyword: str, count: int) -> NDArray[np.uint16] | None:
    element = element_of(dataset, keyword)
    if element is None:
        return None
    entries = read_words(element, count)
    if entries is None:
        raise ValueError("its palette is damaged")
    return entries


def _segmented(dataset: Dataset, keyword: str, count: int, bits: int) -> NDArray[np.uint16]:
    element = element_of(dataset, keyword)
    words = None if element is None else read_words(element, None, as_bytes=bits == 8)
    if words is None:
        raise ValueError("its palette is missing")
    entries = expand_segments(words.tolist(), count)
    if len(entries) < count:
        raise ValueError("its palette is damaged")
    return np.array(entries[:count], np.uint16)


def expand_segments(words: Sequence[int], count: int) -> list[int]:
    """Expand a segmented table, up to `count` entries.

    Parameters
    ----------
    words : sequence of int
        Segments: opcode, length, and what belongs to it.
    count : int
        Where to stop; a few bytes could ask for any number.

    Returns
    -------
    list of int
        Fewer than `count` where the segments end early or make no sense.

    References
    ----------
    DICOM PS3.3 C.7.9.2
    """
    entries: list[int] = []
    at = 0
    while at + 2 < len(words) and len(entries) < count:
        if words[at] != _INDIRECT:
            at = _expand_one(words, at, entries)
            continue
        if at + 3 >= len(words):
            break
        source = (words[at + 3] << 16 | words[at + 2]) // 2  # an offset in bytes, low half first
        for _ in range(words[at + 1]):
            if source + 2 >= len(words) or words[source] == _INDIRECT or len(entries) >= count:
                break
            source = _expand_one(words, source, entries)
        at += 4
    return entries


def _expand_one(words: Sequence[int], at: int, entries: list[int]) -> int:
    """Append what a discrete or linear segment stands for; return where the next one begins."""
    opcode, length = words[at], words[at + 1]
    if opcode == _DISCRETE:
        entries.extend(words[at + 2 : at + 2 + length])
        return at + 2 + length
    if opcode == _LINEAR and entries and length:
        start, end = entries[-1], words[at + 2]
        entries.extend(round(start + (end - start) * step / length) for step in range(1, length + 1))
        return at + 3
    return len(words)
