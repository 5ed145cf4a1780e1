"""The metadata of an instance: its header in the DICOM JSON model, made once and kept in the index."""

import json
import logging
import zlib
from typing import Any, BinaryIO, NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from imageserver.archive.checksums import INTEGRITY_MISMATCH, MISMATCH_REASON
from imageserver.archive.files import DataDirectory, FileIdentity
from imageserver.archive.models import File, Instance, InstanceMetadata
from imageserver.archive.reading_rules import metadata_stamp
from imageserver.archive.storing import path_digest
from imageserver.database import Database
from imageserver.dicom.dicom_json import header_json
from imageserver.dicom.limits import Finding
from imageserver.dicom.reading import FileRefused, read_header
from imageserver.errors import IntegrityMismatch

logger = logging.getLogger(__name__)

NO_METADATA = "no_metadata"


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


class Source(NamedTuple):
    """The file that an instance was read from."""

    instance_id: int
    path: bytes
    identity: FileIdentity


def metadata_of(database: Database, directory: DataDirectory, sop_instance_uid: str) -> Metadata | None:
    """Return the metadata of an instance, made from its file where that has not been done yet.

    Returns
    -------
    Metadata or None
        None where the index has no such instance.

    Raises
    ------
    FileGone, FileReplaced, DataDirectoryUnavailable
        If the file is not the one that was indexed.
    IntegrityMismatch
        If its content is not the one that was indexed, although nothing else of it has changed.
    """
    with database.reading() as session:
        source, kept, refused_code = _find(session, sop_instance_uid)
    if source is None:
        return None
    if refused_code == INTEGRITY_MISMATCH:
        raise IntegrityMismatch(MISMATCH_REASON)
    if kept is not None:
        directory.check(source.path, source.identity)
        return kept
    with directory.open(source.path, source.identity) as stream:
        made = make_metadata(stream)
    with database.writing() as session:
        keep_metadata(session, source, made)
    return made


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
        logger.error("unexpected error while making metadata", extra={"error": type(error).__name__})
        return _nothing("The metadata cannot be made.")


def _make(stream: BinaryIO) -> Metadata:
    try:
        header = read_header(stream, with_private=True)
    except FileRefused as error:
        if error.header is None:
            return _nothing(f"The header cannot be read: {error}")
        header = error.header  # what stands before the damage
    found = header_json(header)
    text = json.dumps(found.dataset, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Metadata(text.encode("utf-8"), tuple(finding.as_dict() for finding in found.findings))


def _nothing(reason: str) -> Metadata:
    return Metadata(b"{}", (Finding(NO_METADATA, reason).as_dict(),))


def keep_metadata(session: Session, source: Source, metadata: Metadata) -> None:
    """Store the metadata of an instance that is still there, and still that file's; two processes may do so at once."""
    same = (
        File.instance_id == source.instance_id,
        File.path_digest == path_digest(source.path),
        File.size == source.identity.size,
        File.mtime_ns == source.identity.mtime_ns,
        File.inode == source.identity.inode,
    )
    present = select(Instance.id).join(File, File.instance_id == Instance.id).where(*same)
    if session.scalar(present.with_for_update(of=Instance)) is None:
        return
    session.execute(delete(InstanceMetadata).where(InstanceMetadata.instance_id == source.instance_id))
    values = {
        "instance_id": source.instance_id,
        "made_by": metadata_stamp(),
        "content": zlib.compress(metadata.content),
        "findings": list(metadata.findings),
    }
    session.execute(insert(InstanceMetadata).values(values))


def _find(session: Session, sop_instance_uid: str) -> tuple[Source | None, Metadata | None, str | None]:
    kept = (InstanceMetadata.content, InstanceMetadata.findings, InstanceMetadata.made_by)
    row = session.execute(
        select(Instance.id, File.path, File.size, File.mtime_ns, File.inode, Instance.refused_code, *kept)
        .join(File, File.instance_id == Instance.id)
        .outerjoin(InstanceMetadata, InstanceMetadata.instance_id == Instance.id)
        .where(Instance.sop_instance_uid == sop_instance_uid)
    ).first()
    if row is None:
        return None, None, None
    source = Source(row[0], row[1], FileIdentity(*row[2:5]))
    if row.made_by != metadata_stamp():
        return source, None, row.refused_code
    return source, Metadata(zlib.decompress(row.content), tuple(row.findings)), row.refused_code
