"""Making the metadata of an instance from its header, and how they are kept: compressed, against a base.

The files of a series say nearly the same. So the metadata of the first one are the base of the series, and the others
are compressed with it as preset dictionary (RFC 1950): what is left are the differences, 0.2 KiB of 6 for a CT slice.
"""

import json
import logging
import zlib
from typing import Any, BinaryIO, NamedTuple

from imageserver.dicom.dicom_json import header_json_text
from imageserver.dicom.header import Header
from imageserver.dicom.limits import Finding
from imageserver.dicom.reading import FileRefused, read_header

logger = logging.getLogger(__name__)

NO_METADATA = "no_metadata"
BASE_BYTES = 32 * 1024  # a compressor sees no further
LEVEL = 3


class Metadata(NamedTuple):
    """What one instance says of itself.

    Attributes
    ----------
    content : bytes
        One object of the DICOM JSON model (PS3.18 F) in UTF-8. SOP Instance UID and the UIDs above it are those of
        the file, which need not be its address here.
    findings : tuple of dict
        What could not be expressed, as ``{code, message, sop_instance_uids}``.
    """

    content: bytes
    findings: tuple[dict[str, Any], ...] = ()

    @property
    def dataset(self) -> dict[str, Any]:
        """The content, parsed."""
        parsed: dict[str, Any] = json.loads(self.content)
        return parsed


def make_metadata(stream: BinaryIO) -> Metadata:
    """Make the metadata of one file; what cannot be made is a finding, so that one file never takes its study along.

    Raises
    ------
    OSError
        Of the stream itself.
    """
    try:
        return _make(stream)
    except OSError:
        raise
    except Exception as error:
        return _failed(error)


def metadata_of_header(header: Header) -> Metadata:
    """Make the metadata from a header that was read with its private elements; never raises."""
    try:
        return _of_header(header)
    except Exception as error:
        return _failed(error)


def _make(stream: BinaryIO) -> Metadata:
    try:
        header = read_header(stream, with_private=True)
    except FileRefused as error:
        if error.header is None:
            return nothing_made(f"The header cannot be read: {error}")
        header = error.header  # what stands before the damage
    return _of_header(header)


def _of_header(header: Header) -> Metadata:
    found = header_json_text(header)
    return Metadata(found.content, tuple(finding.as_dict() for finding in found.findings))


def _failed(error: Exception) -> Metadata:
    logger.error("unexpected error while making metadata", extra={"error": type(error).__name__})
    return nothing_made("The metadata cannot be made.")


def nothing_made(reason: str) -> Metadata:
    """Return the metadata of what cannot be read."""
    return Metadata(b"{}", (Finding(NO_METADATA, reason).as_dict(),))


def pack(content: bytes, base: bytes = b"") -> bytes:
    """Compress metadata against those that are the base of the series."""
    compressor = zlib.compressobj(LEVEL, zdict=base[:BASE_BYTES]) if base else zlib.compressobj(LEVEL)
    return compressor.compress(content) + compressor.flush()


def unpack(packed: bytes, base: bytes = b"") -> bytes:
    """Undo `pack`; the base does not matter where it was not used."""
    decompressor = zlib.decompressobj(zdict=base[:BASE_BYTES]) if base else zlib.decompressobj()
    return decompressor.decompress(packed)
