"""T56: a file that is DICOM and a program, a page or an archive at once is refused; other formats by their name."""

import io
import zipfile

import pytest
from PIL import Image

from imageserver.dicom.reading import FileRefused, read_header
from tests.builders import image, to_bytes
from tests.hostile.encoding import outcome

TWO_FACES = {
    "Windows program": b"MZ\x90\0\x03\0\0\0",
    "Linux program": b"\x7fELF\x02\x01\x01",
    "script": b"#!/bin/sh\nrm -rf /\n",
    "macOS 32 bit": b"\xfe\xed\xfa\xce",
    "macOS 64 bit": b"\xfe\xed\xfa\xcf",
    "macOS little endian": b"\xcf\xfa\xed\xfe",
    "macOS little endian 32 bit": b"\xce\xfa\xed\xfe",
    "macOS fat": b"\xca\xfe\xba\xbe",
    "WebAssembly": b"\0asm\x01\0\0\0",
    "Android": b"dex\n035\0",
    "page": b"<html><script>alert(1)</script>",
    "page behind white space": b" \r\n\t<!DOCTYPE html>",
    "page with a byte order mark": b"\xef\xbb\xbf<svg onload=alert(1)>",
    "page in UTF-16": "\ufeff<html>".encode("utf-16-le"),
    "page in UTF-16 without a mark": "<html>".encode("utf-16-be"),
    "XML": b"<?xml version='1.0'?>",
    "PDF": b"%PDF-1.7\n",
    "PDF behind white space": b"\n\n%PDF-1.4",
    "ZIP": b"PK\x03\x04",
    "empty ZIP": b"PK\x05\x06",
    "PostScript": b"%!PS-Adobe-3.0",
    "RTF": b"{\\rtf1",
    "Office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
}
HARMLESS = {
    "zeros": b"",
    "little endian TIFF": b"II*\0\x08\0\0\0",
    "big endian TIFF": b"MM\0*\0\0\0\x08",
    "text": b"Made by nobody",
    "ones": b"\xff" * 128,
}


def with_preamble(start: bytes) -> bytes:
    return start.ljust(128, b"\0") + to_bytes(image())[128:]


@pytest.mark.parametrize("kind", TWO_FACES)
def test_two_faces_are_refused(kind: str) -> None:
    assert outcome(with_preamble(TWO_FACES[kind])) == "executable_preamble"


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_the_standard_leaves_free_is_read(kind: str) -> None:
    assert not isinstance(outcome(with_preamble(HARMLESS[kind])), str)


def picture(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (8, 8)).save(buffer, kind)
    return buffer.getvalue()


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zip_file:
        zip_file.writestr("image.dcm", to_bytes(image()))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (archive(), "ZIP"),
        (picture("PNG"), "PNG"),
        (picture("JPEG"), "JPEG"),
        (picture("TIFF"), "TIFF"),
        (picture("BMP"), "BMP"),
        (picture("GIF"), "GIF"),
        (picture("JPEG2000"), "JPEG 2000"),
        (b"%PDF-1.7\n" + bytes(500), "PDF"),
        (b"\x1f\x8b\x08" + bytes(500), "gzip"),
        (b"MZ" + bytes(500), "program"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_formats_are_refused_by_their_name(data: bytes, name: str) -> None:
    with pytest.raises(FileRefused, match=name) as caught:
        read_header(io.BytesIO(data))
    assert caught.value.code == "not_dicom"
