"""Lookup tables as Modality LUT and VOI LUT sequences carry them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset

from imageserver.dicom.values import element_of, numbers


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
    """

    first: int
    entries: NDArray[np.uint16]
    bits: int

    def apply(self, values: NDArray[Any]) -> NDArray[np.uint16]:
        """Look values up; those below the first or beyond the last take the first or last entry.

        Parameters
        ----------
        values : numpy.ndarray, any real type
            Fractions are dropped towards minus infinity.

        Returns
        -------
        numpy.ndarray, same shape, uint16
        """
        indices = np.clip(np.floor(values).astype(np.int64) - self.first, 0, len(self.entries) - 1)
        return np.asarray(self.entries[indices])


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
    entries = _entries(item, count)
    if entries is None or not 1 <= bits <= 16:
        return None
    return LookupTable(first, entries, bits)


def _entries(item: Dataset, count: int) -> NDArray[np.uint16] | None:
    element = element_of(item, "LUTData")
    return None if element is None else read_words(element, count)


def read_words(
    element: RawDataElement | DataElement, count: int | None, *, as_bytes: bool = False
) -> NDArray[np.uint16] | None:
    """Read the entries of a table.

    Parameters
    ----------
    element : pydicom.dataelem.RawDataElement or DataElement
        Of VR US or OW.
    count : int or None
        How many there have to be; None for all.
    as_bytes : bool
        Whether each entry is one byte.

    Returns
    -------
    numpy.ndarray, shape (count,), uint16, or None
        None where there are not enough. Where bytes are enough, but words are not, entries are packed two in a word,
        the first in the low byte.
    """
    words = _words(element)
    if not as_bytes and (count is None or len(words) >= count):
        return words[:count]
    entries = words.astype("<u2").view(np.uint8).astype(np.uint16)
    return entries[:count] if count is None or len(entries) >= count else None


def _words(element: RawDataElement | DataElement) -> NDArray[np.uint16]:
    if element.value is None:
        return np.zeros(0, np.uint16)
    if isinstance(element.value, bytes):
        is_little_endian = not isinstance(element, RawDataElement) or element.is_little_endian
        data = element.value[: len(element.value) // 2 * 2]
        return np.frombuffer(data, "<u2" if is_little_endian else ">u2").astype(np.uint16)
    return np.asarray(element.value, np.int64).ravel().astype(np.uint16)
