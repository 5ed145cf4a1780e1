"""From metadata in the DICOM JSON model, and bulk data beside them, to a file as in PS3.10.

References
----------
DICOM PS3.18 10.5.2, 8.7.3, F.2; PS3.10 7.1; PS3.5 A.4
"""

import copy
import io
import struct
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

from imageserver.dicom.json_values import Json
from imageserver.dicom.limits import DEFAULT_LIMITS, Limits
from imageserver.dicom.transfer_syntax import EXPLICIT_VR_LITTLE_ENDIAN

PIXEL_DATA = "7FE00010"
OCTETS = "application/octet-stream"
# What a media type means without a parameter `transfer-syntax` (PS3.18 tables 8.7.3-2, 8.7.3-4, 8.7.3-5).
SYNTAX_OF_MEDIA_TYPE = {
    OCTETS: EXPLICIT_VR_LITTLE_ENDIAN,
    "image/jpeg": "1.2.840.10008.1.2.4.70",
    "image/dicom-rle": "1.2.840.10008.1.2.5",
    "image/jls": "1.2.840.10008.1.2.4.80",
    "image/jp2": "1.2.840.10008.1.2.4.90",
    "image/jpx": "1.2.840.10008.1.2.4.92",
    "image/jphc": "1.2.840.10008.1.2.4.203",
    "image/jxl": "1.2.840.10008.1.2.4.112",
    "video/mpeg": "1.2.840.10008.1.2.4.100",
    "video/mp4": "1.2.840.10008.1.2.4.102",
}
_NATIVE = (EXPLICIT_VR_LITTLE_ENDIAN, "1.2.840.10008.1.2")
_LONGEST = 0xFFFFFFFE
_UNDEFINED = 0xFFFFFFFF
_UTF_8 = "ISO_IR 192"


class MetadataRefused(ValueError):
    """No file can be made of this; the message says why, without a value."""


class BulkValue(NamedTuple):
    """A value that came apart from the metadata; compressed pixel data in one piece for each frame.

    Attributes
    ----------
    syntax : str
        Transfer syntax.
    pieces : list of (int, callable)
        Of each how many bytes it has, and what yields them in chunks.
    """

    syntax: str
    pieces: list[tuple[int, Callable[[], Iterator[bytes]]]]

    @property
    def size(self) -> int:
        """Bytes of all pieces."""
        return sum(size for size, _ in self.pieces)


def build_instance(
    metadata: Json, bulk: dict[str, BulkValue], limits: Limits = DEFAULT_LIMITS
) -> Iterator[bytes]:
    """Make a file; pixel data goes through in chunks, other bulk data within the limits of what files may load.

    Parameters
    ----------
    metadata : dict
        A data set in the DICOM JSON model.
    bulk : dict of str to BulkValue
        By the URI under which the metadata refer to them.
    limits : Limits
        Bytes of one value, and of all.

    Returns
    -------
    iterator of bytes
        The file, in explicit VR little endian, or in the transfer syntax of its compressed pixel data.

    Raises
    ------
    MetadataRefused
        Before anything is yielded.
    """
    metadata = copy.copy(metadata)
    pixels = _bulk_pixels(metadata, bulk)
    syntax = EXPLICIT_VR_LITTLE_ENDIAN if pixels is None or pixels.syntax in _NATIVE else pixels.syntax
    vr = "OB"
    if pixels is not None:
        element = metadata.pop(PIXEL_DATA)
        vr = str(element.get("vr", "OW")) if syntax == EXPLICIT_VR_LITTLE_ENDIAN else vr
    values = _WholeValues(bulk, limits)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd is kept, and judged when the file is read
            dataset = Dataset.from_json(metadata, lambda _tag, _vr, uri: values.get(uri))
            if not _is_ascii(metadata):
                dataset.SpecificCharacterSet = _UTF_8  # the values came as Unicode
            head = _encode(dataset, syntax)
    except MetadataRefused:
        raise
    except Exception as error:
        raise MetadataRefused(f"The metadata cannot be written ({type(error).__name__}).") from error
    if pixels is None:
        return iter((head,))
    return _with_pixels(head, pixels, vr, is_native=syntax == EXPLICIT_VR_LITTLE_ENDIAN)


def _bulk_pixels(metadata: Json, bulk: dict[str, BulkValue]) -> BulkValue | None:
    element = metadata.get(PIXEL_DATA)
    if not isinstance(element, dict) or "BulkDataURI" not in element:
        return None
    if any(key > PIXEL_DATA for key in metadata):
        raise MetadataRefused("Elements behind the pixel data are not taken with metadata.")
    found = bulk.get(str(element["BulkDataURI"]))
    if found is None:
        raise MetadataRefused("The pixel data is not in the request.")
    if not found.syntax:
        raise MetadataRefused("The pixel data is of a media type that is not known.")
    if max(found.size if found.syntax in _NATIVE else 0, *(size for size, _ in found.pieces)) > _LONGEST:
        raise MetadataRefused("The pixel data is longer than an element can be.")
    return found


class _WholeValues:
    """Values other than pixel data; each use of one counts, because each is held in memory."""

    def __init__(self, bulk: dict[str, BulkValue], limits: Limits) -> None:
        self._bulk = bulk
        self._limits = limits
        self._size = 0

    def get(self, uri: Any) -> bytes:
        found = self._bulk.get(str(uri))
        if found is None or found.syntax not in _NATIVE:
            raise MetadataRefused("Bulk data that the metadata refer to is not in the request.")
        self._size += found.size
        if found.size > self._limits.value_length or self._size > self._limits.loaded_bytes:
            raise MetadataRefused("Bulk data other than pixel data is longer than any real one.")
        return b"".join(chunk for _, read in found.pieces for chunk in read())


def _is_ascii(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_ascii, value.values()))
    if isinstance(value, list):
        return all(map(_is_ascii, value))
    return not isinstance(value, str) or value.isascii()


def _encode(dataset: Dataset, syntax: str) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    for tag in [tag for tag in dataset.keys() if tag.group in (0x0000, 0x0002)]:  # noqa: SIM118 - no mapping
        del dataset[tag]
    stream = io.BytesIO()
    file = FileDataset("", dataset, preamble=bytes(128), file_meta=meta)
    dcmwrite(stream, file, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return stream.getvalue()


def _with_pixels(head: bytes, pixels: BulkValue, vr: str, *, is_native: bool) -> Iterator[bytes]:
    length = pixels.size + pixels.size % 2 if is_native else _UNDEFINED
    yield head + struct.pack("<HH2sHI", 0x7FE0, 0x0010, vr.encode("ascii", "replace")[:2], 0, length)
    if is_native:
        for _, read in pixels.pieces:
            yield from read()
        yield b"\0" * (pixels.size % 2)
        return
    yield struct.pack("<HHI", 0xFFFE, 0xE000, 0)  # an empty offset table
    for size, read in pixels.pieces:
        yield struct.pack("<HHI", 0xFFFE, 0xE000, size + size % 2)
        yield from read()
        yield b"\0" * (size % 2)
    yield struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
