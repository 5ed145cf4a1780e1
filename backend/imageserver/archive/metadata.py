"""The metadata of an instance: its header in the DICOM JSON model, made once and kept in the index."""

from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from imageserver.archive.checksums import INTEGRITY_MISMATCH, MISMATCH_REASON
from imageserver.archive.files import DataDirectory, FileIdentity
from imageserver.archive.made_metadata import Metadata, make_metadata
from imageserver.archive.models import File, Instance, InstanceMetadata
from imageserver.archive.stored_metadata import add_metadata, read_metadata
from imageserver.archive.storing import path_digest
from imageserver.database import Database
from imageserver.errors import IntegrityMismatch


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
    series_id = session.execute(
        select(Instance.series_id).where(Instance.id == source.instance_id)
    ).scalar_one()
    add_metadata(session, [(source.instance_id, series_id, metadata)])


def _find(session: Session, sop_instance_uid: str) -> tuple[Source | None, Metadata | None, str | None]:
    row = session.execute(
        select(Instance.id, File.path, File.size, File.mtime_ns, File.inode, Instance.refused_code)
        .join(File, File.instance_id == Instance.id)
        .where(Instance.sop_instance_uid == sop_instance_uid)
    ).first()
    if row is None:
        return None, None, None
    source = Source(row[0], row[1], FileIdentity(*row[2:5]))
    return source, read_metadata(session, [row.id]).get(row.id), row.refused_code
