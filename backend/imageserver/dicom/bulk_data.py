"""Values that DICOM JSON refers to by ``BulkDataURI``, found again by that path."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, BinaryIO, NamedTuple

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from imageserver.dicom.dicom_json import BULK_DATA
from imageserver.dicom.element_vrs import BINARY, NUMBERS, vr_of
from imageserver.dicom.limits import DEFAULT_LIMITS, FileRefused
from imageserver.dicom.number_values import integer
from imageserver.dicom.raw_elements import bytes_of, element_of
from imageserver.dicom.reading import Header, read_header
from imageserver.dicom.sequence_items import items

BULK_PATH = r"^[0-9A-F]{8}(/[1-9][0-9]{0,5}/[0-9A-F]{8})*$"
PIXEL_DATA = {"7FE00010": "PixelData", "7FE00008": "FloatPixelData", "7FE00009": "DoubleFloatPixelData"}

# Long private values are left out of what is read for anything else.
WHOLE_LIMITS = replace(
    DEFAULT_LIMITS,
    private_value_length=DEFAULT_LIMITS.value_length,
    private_bytes=DEFAULT_LIMITS.loaded_bytes,
)


class PixelPlace(NamedTuple):
    """Where native pixel data stands, and how large the words are that are to be swapped; 1 for none."""

    offset: int
    length: int
    swapped_size: int


def read_bulk_value(stream: BinaryIO, path: str) -> bytes | None:
    """Read the value that a ``BulkDataURI`` of `dicom_json.header_json` stands for, except pixel data.

    Parameters
    ----------
    stream : binary file object, seekable
        The file.
    path : str
        What follows ``bulkdata/``: a tag, or tags with the numbers of items between them, as `BULK_PATH` has it.

    Returns
    -------
    bytes or None
        In little endian, as PS3.18 8.7.3.3.1 has bulk data; None where the file has nothing there.

    Raises
    ------
    FileRefused
        If the file cannot be read.
    """
    if re.fullmatch(BULK_PATH, path) is None:
        return None
    header = read_header(stream, WHOLE_LIMITS, with_private=True)
    *steps, tag = path.split("/")
    dataset: Dataset | None = header.dataset
    for sequence, number in zip(steps[::2], steps[1::2], strict=True):
        found = items(dataset, int(sequence, 16))
        if int(number) > len(found):
            return None
        dataset = found[int(number) - 1]
    assert dataset is not None
    return _value(header, dataset, int(tag, 16))


def _value(header: Header, dataset: Dataset, tag: int) -> bytes | None:
    element = element_of(dataset, tag)
    if element is None or element.value is None or element.VR == "SQ":
        return None
    value = bytes_of(element.value)
    if isinstance(element, RawDataElement) and not element.is_little_endian:
        vr = vr_of(dataset, element, integer(header.dataset, "PixelRepresentation") == 1)
        return swap(value, WORDS.get(vr, 1))
    return value


WORDS = {
    **BINARY,
    "AT": 2,
    **{vr: {"B": 1, "H": 2, "L": 4, "Q": 8, "F": 4, "D": 8}[code.upper()] for vr, code in NUMBERS.items()},
}


def find_bulk_paths(dataset: Mapping[str, Any]) -> list[str]:
    """Return the paths of all ``BulkDataURI`` in a data set of the DICOM JSON model, in its order."""
    found = []
    for attribute in dataset.values():
        if "BulkDataURI" in attribute:
            found.append(attribute["BulkDataURI"].rpartition(BULK_DATA)[2])
        elif attribute.get("vr") == "SQ":
            for item in attribute.get("Value", ()):
                found += find_bulk_paths(item or {})
    return found


def swap(value: bytes, size: int) -> bytes:
    """Turn words of big endian round; a rest that is no word stays."""
    if size == 1:
        return value
    whole = len(value) // size * size
    turned = bytearray(value)
    for at in range(size):
        turned[at:whole:size] = value[size - 1 - at : whole : size]
    return bytes(turned)


def pixel_place(header: Header, keyword: str) -> PixelPlace | None:
    """Tell where native pixel data stands in `Header.pixel_stream`; None where there is none, or it is compressed."""
    image, pixel_data = header.image, header.pixel_data
    if image is None or pixel_data is None or pixel_data.is_encapsulated or pixel_data.keyword != keyword:
        return None
    syntax = header.transfer_syntax
    is_little_endian = syntax.is_little_endian and not syntax.has_big_endian_pixels
    size = image.bits_allocated // 8
    if size <= 1 or image.bits_allocated == 12:
        size = 2 if pixel_data.vr == "OW" else 1
    return PixelPlace(pixel_data.offset, pixel_data.length, 1 if is_little_endian else size)


__all__ = [
    "BULK_PATH",
    "PIXEL_DATA",
    "FileRefused",
    "PixelPlace",
    "pixel_place",
    "read_bulk_value",
    "swap",
]
