"""Bulk data of instances: what their metadata refer to instead of holding it (PS3.18 10.4.1.1.5)."""

from collections.abc import Iterator

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


def native_pixels(
    directory: DataDirectory, file: InstanceFile, keyword: str
) -> tuple[int, Iterator[bytes]] | None:
    """Return length and pieces of native pixel data in little endian; None where there is none, or it is compressed.

    Raises
    ------
    FileGone, FileReplaced, DataDirectoryUnavailable, UndecodableFrame
        As `bulk_value`; the pieces raise it as well, when the file changes meanwhile.
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

    def pieces() -> Iterator[bytes]:
        for start in range(0, place.length, PIECE):
            with directory.open(file.path, file.identity) as stream:
                source = header.pixel_stream(stream)
                source.seek(place.offset + start)
                data = source.read(min(PIECE, place.length - start))
            yield swap(data, place.swapped_size)

    return place.length, pieces()
