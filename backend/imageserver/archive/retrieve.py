"""Whole instances as files of PS3.10: as they are stored, or in another transfer syntax. Free of HTTP.

Files are read in pieces, and opened anew for each: what was changed or replaced meanwhile raises, and nothing stays
open while a receiver takes its time.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, NamedTuple

from sqlalchemy import Connection, case, cast, func
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from imageserver.archive.addresses import INSTANCES, SERIES, FileQuestion, InstanceAddress, located
from imageserver.archive.checksums import INTEGRITY_MISMATCH
from imageserver.archive.files import DataDirectory
from imageserver.archive.slice_lists import refusal_of
from imageserver.archive.volumes import InstanceFile
from imageserver.dicom.decoding import Decoders
from imageserver.dicom.file_meta import PREAMBLE
from imageserver.dicom.identifiers import is_address
from imageserver.dicom.limits import FileRefused
from imageserver.dicom.stored_file import file_head
from imageserver.dicom.transcoding import targets_of, transcode
from imageserver.dicom.transfer_syntax import EXPLICIT_VR_LITTLE_ENDIAN
from imageserver.errors import Gone, NotAcceptable, UndecodableFrame

AS_STORED = "*"
PIECE = 1 << 20
# A change of what is written for the same file makes copies of clients stale.
_VERSION = 1


class StoredInstance(NamedTuple):
    """An instance that may be retrieved; `transfer_syntax_uid` is empty where nothing tells it, or no UID."""

    address: InstanceAddress
    file: InstanceFile
    sop_class_uid: str
    transfer_syntax_uid: str
    has_pixel_data: bool


class Retrieval(NamedTuple):
    """An instance on its way out.

    Attributes
    ----------
    instance : StoredInstance
    transfer_syntax_uid : str
        In which it leaves.
    """

    instance: StoredInstance
    transfer_syntax_uid: str

    @property
    def is_as_stored(self) -> bool:
        """Whether the bytes of the file go as they are."""
        return self.transfer_syntax_uid == self.instance.transfer_syntax_uid


# Only whether there are any frames: the list of an enhanced object has thousands.
_HAS_FRAMES = case((func.length(cast(INSTANCES.frames, Text)) > len("[]"), 1), else_=0)
_STORED = FileQuestion(
    INSTANCES.sop_class_uid,
    INSTANCES.transfer_syntax_uid,
    _HAS_FRAMES,
    order_by=(SERIES.id, INSTANCES.id),
)


def find_instances(
    connection: Connection | Session,
    study_instance_uid: str,
    series_instance_uid: str | None = None,
    sop_instance_uid: str | None = None,
) -> list[StoredInstance]:
    """List the instances of a study, of one of its series, or one, in a stable order; empty where there are none."""
    return [
        StoredInstance(
            *located(study_instance_uid, row),
            row[8] or "",
            row[9] if row[9] and is_address(row[9]) else "",  # a file may say anything
            bool(row[10]),
        )
        for row in _STORED.ask(connection, study_instance_uid, series_instance_uid, sop_instance_uid)
    ]


def plan(instance: StoredInstance, wanted: Sequence[str]) -> Retrieval:
    """Choose the transfer syntax in which an instance leaves.

    Parameters
    ----------
    instance : StoredInstance
        What is wanted.
    wanted : sequence of str
        Transfer syntaxes, the best first; `AS_STORED` for any. Where compressed images are wanted, an instance without
        pixel data, which has nothing to compress, leaves in explicit VR little endian.

    Raises
    ------
    NotAcceptable
        Names what there is.
    IntegrityMismatch
        If the content of the file differs from its checksum.
    """
    if instance.file.refused_code == INTEGRITY_MISMATCH:
        raise refusal_of(instance.file)
    stored = instance.transfer_syntax_uid
    if wanted and wanted[0] == AS_STORED:  # of many instances it is not worth looking what else there is
        return Retrieval(instance, stored)
    targets = targets_of(stored, has_pixel_data=instance.has_pixel_data)
    for syntax in wanted:
        if syntax == AS_STORED:
            return Retrieval(instance, stored)
        if syntax in targets:
            return Retrieval(instance, syntax)
    if not instance.has_pixel_data and wanted:
        return Retrieval(instance, EXPLICIT_VR_LITTLE_ENDIAN)
    raise NotAcceptable(f"As transfer-syntax there is {', '.join(targets)}; * for as stored.")


class Retriever:
    """Reads instances; may be used by any number of threads."""

    def __init__(self, directory: DataDirectory, decoders: Decoders) -> None:
        self._directory = directory
        self._decoders = decoders

    def lengths(self, retrievals: Sequence[Retrieval]) -> list[int | Gone | None]:
        """Return how many bytes of each will be sent, None where that is not known before, or why it is not there.

        Raises
        ------
        DataDirectoryUnavailable
            If the folder of the files cannot be read.
        """
        stored = [one.instance.file for one in retrievals if one.is_as_stored]
        starts = self._directory.read_starts(((one.path, one.identity) for one in stored), len(PREAMBLE))
        return [self._length(one, starts) for one in retrievals]

    def _length(self, retrieval: Retrieval, starts: Iterator[bytes | Gone]) -> int | Gone | None:
        file = retrieval.instance.file
        if retrieval.is_as_stored:
            start = next(starts)
            return (
                start if isinstance(start, Gone) else len(_head_before(start, retrieval)) + file.identity.size
            )
        try:
            self._directory.check(file.path, file.identity)
        except Gone as error:
            return error
        return None

    def pieces(self, retrieval: Retrieval) -> Iterator[bytes]:
        """Yield the file.

        Raises
        ------
        FileGone, FileReplaced, DataDirectoryUnavailable
            If the file is not the one that was indexed, also in the middle.
        UndecodableFrame, UnsupportedTransferSyntax, Busy
            As `transcode`.
        """
        if retrieval.is_as_stored:
            yield from self._stored(retrieval)
            return
        file = retrieval.instance.file
        if file.refused_code:
            raise refusal_of(file)
        try:
            yield from transcode(lambda: self._open(file), retrieval.transfer_syntax_uid, self._decoders)
        except FileRefused as error:  # indexed by a version that read it otherwise
            raise UndecodableFrame(error.message, reason=error.code) from error

    def together(self, retrievals: Sequence[Retrieval]) -> list[bytes | Exception]:
        """Return files that go as stored, whole, or what `pieces` would raise; for those that are small together."""
        files = ((one.instance.file.path, one.instance.file.identity) for one in retrievals)
        return [
            found if isinstance(found, Exception) else _head_before(found[: len(PREAMBLE)], retrieval) + found
            for found, retrieval in zip(self._directory.read_files(files), retrievals, strict=True)
        ]

    def _stored(self, retrieval: Retrieval) -> Iterator[bytes]:
        file = retrieval.instance.file
        for start in range(0, file.identity.size, PIECE):
            piece = self._directory.read(file.path, file.identity, start, PIECE)
            if not start and (head := _head_before(piece[: len(PREAMBLE)], retrieval)):
                yield head
            yield piece

    def _open(self, file: InstanceFile) -> AbstractContextManager[BinaryIO]:
        return self._directory.open(file.path, file.identity)


def _head_before(start: bytes, retrieval: Retrieval) -> bytes:
    instance = retrieval.instance
    uids = instance.sop_class_uid, instance.address.sop_instance_uid, instance.transfer_syntax_uid
    return file_head(start, *uids)


def etag_of(retrievals: Sequence[Retrieval], *other: object) -> str:
    """Return an entity tag of instances, known before any of their files is read."""
    digest = hashlib.sha256(repr((_VERSION, *other)).encode())
    for one in retrievals:
        file = one.instance.file
        digest.update(repr((file.sop_instance_uid, *file.identity, one.transfer_syntax_uid)).encode())
    return f'"{digest.hexdigest()[:32]}"'
