"""From one file of the data directory to what the index keeps of it."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from imageserver.archive.common_values import read_common_values
from imageserver.archive.digests import content_digest
from imageserver.archive.files import UNREADABLE, DataDirectory, FileIdentity, FoundFile
from imageserver.archive.made_metadata import Metadata, metadata_of_header
from imageserver.dicom.attributes import derived_addresses, instance_address
from imageserver.dicom.frames import FrameDescription, describe_frames
from imageserver.dicom.identifiers import derived_uid, is_address
from imageserver.dicom.limits import DEFAULT_LIMITS, Limits
from imageserver.dicom.number_values import integer
from imageserver.dicom.reading import FileRefused, Header, read_header
from imageserver.dicom.text_values import text
from imageserver.errors import DataDirectoryUnavailable, Gone

logger = logging.getLogger(__name__)

INDEXED, DUPLICATE, CONFLICT, REFUSED, SKIPPED = "indexed", "duplicate", "conflict", "refused", "skipped"
# What the tables have columns for; the rest is in the metadata of each instance.
_MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"


@dataclass(frozen=True)
class ReadInstance:
    """What a file says about itself and the levels above it.

    `has_uid` is false where the file names no SOP Instance UID and `sop_instance_uid` was made up. `has_other_class`
    says that its file meta information contradicts the SOP class of the data set.
    """

    study: dict[str, Any]
    series: dict[str, Any]
    sop_instance_uid: str
    sop_class_uid: str | None
    transfer_syntax_uid: str | None
    frames: list[FrameDescription]
    patient: dict[str, Any]
    warnings: list[dict[str, Any]]
    refused_code: str | None = None
    refused_reason: str | None = None
    has_uid: bool = True
    metadata: Metadata | None = None
    has_other_class: bool = False
    instance_number: int | None = None


@dataclass(frozen=True)
class ReadFile:
    """What became of one path.

    `instance` is there for every file that has a place in a series, also for a damaged one. `declared_uid` is the SOP
    Instance UID that the file itself gives, also where the instance had to get another one.
    """

    path: bytes
    identity: FileIdentity
    state: str
    code: str | None = None
    reason: str | None = None
    instance: ReadInstance | None = None
    declared_uid: str | None = None


def read_file(directory: DataDirectory, found: FoundFile, limits: Limits = DEFAULT_LIMITS) -> ReadFile:
    """Read the header of one file, which may ask for no more than `limits`.

    Raises
    ------
    FileGone, FileReplaced
        If the file changed since it was found; the next look at the folder will tell.
    """
    path, identity = found
    try:
        with directory.open(path, identity) as stream:
            header = read_header(stream, limits, with_private=True)
    except FileRefused as error:
        return _refused(directory, found, error)
    except DataDirectoryUnavailable as error:
        return ReadFile(path, identity, REFUSED, UNREADABLE, error.detail)
    if text(header.file_meta, "MediaStorageSOPClassUID") == _MEDIA_STORAGE_DIRECTORY:
        return ReadFile(
            path, identity, SKIPPED, "dicomdir", "A DICOMDIR lists files; the folder itself is read."
        )
    instance = _known_by_content(directory, found, _read_instance(header))
    return ReadFile(path, identity, INDEXED, instance=instance, declared_uid=instance.sop_instance_uid)


def _known_by_content(directory: DataDirectory, found: FoundFile, instance: ReadInstance) -> ReadInstance:
    """Give an instance without a SOP Instance UID one that holds wherever the file goes, and for no other bytes."""
    if instance.has_uid:
        return instance
    return with_uid(instance, derived_uid(instance.sop_instance_uid, content_digest(directory, found)))


def read_files(directory: DataDirectory, files: Iterable[FoundFile]) -> list[ReadFile | None]:
    """Read the headers of files; never raises.

    Returns
    -------
    list of ReadFile or None
        In the same order; None for a file that changed since it was found.
    """
    return [_read_whatever_happens(directory, found) for found in files]


def _read_whatever_happens(directory: DataDirectory, found: FoundFile) -> ReadFile | None:
    try:
        return read_file(directory, found)
    except Gone:
        return None  # the next look takes it
    except Exception as error:  # one file must never keep the others out
        logger.error("unexpected error while reading a file", extra={"error": type(error).__name__})
        return ReadFile(*found, REFUSED, "malformed", "The file cannot be read.")


def _refused(directory: DataDirectory, found: FoundFile, error: FileRefused) -> ReadFile:
    """Keep what a damaged image says about its place, so that no other slice is taken for it."""
    if error.header is None:
        return ReadFile(*found, REFUSED, error.code, error.message)
    instance = _known_by_content(directory, found, _read_instance(error.header))
    instance = replace(instance, refused_code=error.code, refused_reason=error.message)
    uid = instance.sop_instance_uid
    return ReadFile(*found, REFUSED, error.code, error.message, instance=instance, declared_uid=uid)


def with_uid(instance: ReadInstance, sop_instance_uid: str) -> ReadInstance:
    """Return the same instance under another SOP Instance UID."""
    frames = [replace(frame, sop_instance_uid=sop_instance_uid) for frame in instance.frames]
    return replace(instance, sop_instance_uid=sop_instance_uid, frames=frames)


def _read_instance(header: Header) -> ReadInstance:
    address = instance_address(header.dataset, header.file_meta)
    common = read_common_values(header)
    metadata = metadata_of_header(header)
    return ReadInstance(
        study=common.study,
        series=common.series,
        sop_instance_uid=address.sop_instance_uid,
        sop_class_uid=text(header.dataset, "SOPClassUID"),
        has_other_class=_has_other_class(header),
        transfer_syntax_uid=header.transfer_syntax_uid,
        frames=describe_frames(header),
        patient=common.patient,
        metadata=metadata,
        instance_number=_instance_number(header),
        has_uid=is_address(text(header.file_meta, "MediaStorageSOPInstanceUID") or "")
        or is_address(text(header.dataset, "SOPInstanceUID") or ""),
        warnings=[
            finding.as_dict()
            for finding in (
                *header.warnings,
                *derived_addresses(header.dataset, address),
                *common.findings,
            )
        ],
    )


def _has_other_class(header: Header) -> bool:
    declared, own = (
        text(header.file_meta, "MediaStorageSOPClassUID"),
        text(header.dataset, "SOPClassUID"),
    )
    return declared is not None and own is not None and declared != own


def _instance_number(header: Header) -> int | None:
    number = integer(header.dataset, "InstanceNumber")
    return number if number is not None and abs(number) < 2**63 else None  # as the column takes it
