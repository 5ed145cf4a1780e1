"""The JSON of headers, from data sets and from elements written byte by byte."""

import io
import struct

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from imageserver.dicom.dicom_json import DicomJson, header_json
from imageserver.dicom.reading import read_header
from tests.builders import image, stream


def json_of(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> DicomJson:
    return header_json(read_header(stream(dataset, syntax), with_private=True))


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    """One element in explicit VR little endian."""
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    if vr in (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN", b"SQ", b"UT", b"UC", b"UR", b"SV", b"UV"):
        return head + struct.pack("<HL", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def json_of_elements(*elements: bytes) -> DicomJson:
    """JSON of a file with a SOP Instance UID and these elements."""
    body = element(0x00080018, b"UI", b"1.2.3\0") + b"".join(elements)
    return header_json(read_header(io.BytesIO(bytes(128) + b"DICM" + META + body), with_private=True))


META = element(0x00020010, b"UI", b"1.2.840.10008.1.2.1\0")


def private_element(value: bytes, vr: str = "OB") -> Dataset:
    """Return an image with a private element whose creator the dictionary knows."""
    dataset = image()
    block = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x10, vr, value)
    return dataset
