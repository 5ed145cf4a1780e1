"""Lookup tables as Modality LUT and VOI LUT sequences carry them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset

from imageserver.dicom.number_values import numbers
from imageserver.dicom.raw_elements import element_of


@dataclass(frozen=True, eq=False)
class LookupTable:
    """A table of output values.

    Attributes
    ----------
    first : int
        The input value that the first entry is for.
    entries : numpy.ndarray, shape (n,), uint16
    bits : int
        Of the entries.
    declared_bits : int or None
        What the file says about them; None for a table that comes from no file.
    """

    first: int
    entries: NDArray[np.uint16]
    bits: int
    declared_bits: int | None = None

    def apply(self, values: NDArray[Any]) -> NDArray[np.uint16]:
        """Look values up; those below the first or beyond the last take the first or last entry.

        Parameters
        ----------
        values : numpy.ndarray, any real type
            Fractions are dropped towards minus infinity; what is not a number takes the first entry.

        Returns
        -------
        numpy.ndarray, same shape, uint16
        """
        last = self.first + len(self.entries) - 1
        places = np.clip(np.nan_to_num(values.astype(np.float64), nan=self.first), self.first, last)
        return np.asarray(self.entries[np.floor(places).astype(np.int64) - self.first])


def read_lookup_table(item: Dataset, *, signed: bool) -> LookupTable | None:
    """Read LUT Descriptor (0028,3002) and LUT Data (0028,3006).

    Parameters
    ----------
    item : pydicom.Dataset
        Item of a Modality LUT or VOI LUT Sequence.
    signed : bool
        Whether the input of the table can be negative, which decides about the first value mapped.

    Returns
    -------
    LookupTable or None
        None where the item holds no usable table.

    References
    ----------
    DICOM PS3.3 C.11.1.1.1, C.11.2.1.1
    """
    descriptor = [int(value) for value in numbers(item, "LUTDescriptor", signed=signed)]
    if len(descriptor) != 3:
        return None
    count, first, bits = descriptor
    count = (count & 0xFFFF) or 65536  # 0 stands for 65536; an SS descriptor makes large counts negative
    if signed and first > 32767:
        first -= 65536
    element = element_of(item, "LUTData")
    found = None if element is None else read_entries(element, count)
    if found is None or not 1 <= bits <= 16:
        return None
    entries, width = found
    return LookupTable(first, entries, _bits_of(entries, width, bits), bits)


def _bits_of(entries: NDArray[np.uint16], width: int, declared: int) -> int:
    """Return how many bits entries have: those the file tells, unless the entries themselves contradict.

    One beyond the end (256 for 8 bits) is a slip of rounding, not another depth.
    """
    bits = min(declared, 8 * width)
    highest = int(entries.max())
    return highest.bit_length() if highest > 1 << bits else bits


def entry_width(count: int, length: int) -> int | None:
    """Tell how many bytes each entry of a table has.

    The bits that the descriptor tells do not take part: they are what writers get wrong. The standard has both,
    words for any table and bytes, two in a word, for entries of 8 bits.

    Parameters
    ----------
    count : int
        Entries that there have to be.
    length : int
        Bytes that there are. The table may be short by up to 1 %.

    Returns
    -------
    int or None
        2 or 1; None where the table cannot be right.

    References
    ----------
    DICOM PS3.3 C.7.6.3.1.6, C.11.1.1.1
    """
    least = count - count // 100
    if length >= 2 * least:
        return 2
    return 1 if least <= length <= count + 1 else None


def read_entries(element: RawDataElement | DataElement, count: int) -> tuple[NDArray[np.uint16], int] | None:
    """Read the entries of a table.

    Parameters
    ----------
    element : pydicom.dataelem.RawDataElement or DataElement
        Of VR US or OW.
    count : int
        How many there have to be.

    Returns
    -------
    entries : numpy.ndarray, shape (count,), uint16
        A table that is a little short is filled up with its last entry.
    width : int
        Bytes of each in the file. None instead of both where the table cannot be right.
    """
    words = read_words(element)
    width = entry_width(count, 2 * len(words))
    if width is None:
        return None
    entries = (words if width == 2 else as_bytes(words))[:count]
    return np.pad(entries, (0, count - len(entries)), mode="edge"), width


def as_bytes(words: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Take words apart into bytes, the low one first."""
    return words.astype("<u2").view(np.uint8).astype(np.uint16)


def read_words(element: RawDataElement | DataElement) -> NDArray[np.uint16]:
    """Return the words of an element of VR US or OW; shape (n,)."""
    if element.value is None:
        return np.zeros(0, np.uint16)
    if isinstance(element.value, bytes):
        is_little_endian = not isinstance(element, RawDataElement) or element.is_little_endian
        data = element.value + b"\0" * (len(element.value) % 2)
        return np.frombuffer(data, "<u2" if is_little_endian else ">u2").astype(np.uint16)
    return np.asarray(element.value, np.int64).ravel().astype(np.uint16)
