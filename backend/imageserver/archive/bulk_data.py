"""Bulk data of instances: what their metadata refer to instead of holding it (PS3.18 10.4.1.1.5)."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from imageserver.archive.checksums import INTEGRITY_MISMATCH, MISMATCH_REASON
from imageserver.archive.files import DataDirectory
from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.bulk_data import pixel_place, read_bulk_value, swap
from imageserver.dicom.reading import FileRefused, read_header
from imageserver.errors import IntegrityMismatch, UndecodableFrame

PIECE = 1 << 20


def _require_whole(file: InstanceFile) -> None:
    if file.refused_code == INTEGRITY_MISMATCH:
        raise IntegrityMismatch(MISMATCH_REASON)


def bulk_value(directory: DataDirectory, file: InstanceFile, path: str) -> bytes | None:
    """Return a value other than pixel data; None where the file has none there.

    Raises
    ------
    FileGone, FileReplaced, DataDirectoryUnavailable
        If the file is not the one that was indexed.
    UndecodableFrame
        If it cannot be read.
    """
    _require_whole(file)
    with directory.open(file.path, file.identity) as stream:
        try:
            return read_bulk_value(stream, path)
        except FileRefused as error:
            raise UndecodableFrame(error.message, reason=error.code) from error


class BulkValue(NamedTuple):
    """A value of which any part can be read.

    Attributes
    ----------
    length : int
        In bytes.
    read : function
        Gives the bytes from the first up to before the second number, in pieces; raises as `bulk_value`.
    """

    length: int
    read: Callable[[int, int], Iterator[bytes]]


def native_pixels(directory: DataDirectory, file: InstanceFile, keyword: str) -> BulkValue | None:
    """Return native pixel data in little endian; None where there is none, or it is compressed.

    Raises
    ------
    FileGone, FileReplaced, DataDirectoryUnavailable, UndecodableFrame
        As `bulk_value`; reading raises it as well, when the file changes meanwhile.
    """
    _require_whole(file)
    with directory.open(file.path, file.identity) as stream:
        try:
            header = read_header(stream)
        except FileRefused as error:
            raise UndecodableFrame(error.message, reason=error.code) from error
    place = pixel_place(header, keyword)
    if place is None:
        return None

    def read(start: int, stop: int) -> Iterator[bytes]:
        whole = start // place.swapped_size * place.swapped_size  # words are turned round as wholes
        for at in range(whole, stop, PIECE):
            with directory.open(file.path, file.identity) as stream:
                source = header.pixel_stream(stream)
                source.seek(place.offset + at)
                data = source.read(min(PIECE, place.length - at))
            yield swap(data, place.swapped_size)[max(0, start - at) : stop - at]

    return BulkValue(place.length, read)
