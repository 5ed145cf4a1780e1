"""Checksums of files whose rows are made again: they hold as long as the file does."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from imageserver.archive.chunks import chunks
from imageserver.archive.files import FileIdentity
from imageserver.archive.models import File
from imageserver.archive.reading_rules import reading_stamp
from imageserver.archive.storing import path_digest

INTEGRITY_MISMATCH = "integrity_mismatch"
MISMATCH_REASON = "The content of the file has changed, although its size and its time of change have not."


class Checksum(NamedTuple):
    """SHA-256 of a file as it was when it had this identity, and when that was last seen to hold."""

    path_digest: str
    identity: FileIdentity
    sha256: str
    scrubbed: int


def checksums_of(session: Session, paths: Iterable[bytes]) -> list[Checksum]:
    """Return what is known of the content of files, before their rows are replaced."""
    columns = (File.path_digest, File.size, File.mtime_ns, File.inode, File.sha256, File.scrubbed)
    found = []
    for digests in chunks([path_digest(path) for path in paths]):
        rows = session.execute(
            select(*columns).where(File.path_digest.in_(digests), File.sha256.is_not(None))
        )
        found += [Checksum(row[0], FileIdentity(*row[1:4]), str(row[4]), row[5]) for row in rows]
    return found


def keep_checksums(session: Session, checksums: Iterable[Checksum]) -> None:
    """Give the new rows the checksums of the old ones where the file is the same."""
    for digest, identity, sha256, scrubbed in checksums:
        same = (
            File.path_digest == digest,
            File.size == identity.size,
            File.mtime_ns == identity.mtime_ns,
            File.inode == identity.inode,
        )
        session.execute(update(File).where(*same).values(sha256=sha256, scrubbed=scrubbed))


def find_stale(session: Session) -> dict[bytes, bool]:
    """Return the files that former rules read, and whether each holds an instance.

    A file whose content is known to be damaged is left as it is: read again, it would look like a good one.
    """
    statement = select(File.path, File.instance_id).where(
        File.read_by != reading_stamp(), File.size >= 0, func.coalesce(File.code, "") != INTEGRITY_MISMATCH
    )
    return {path: instance_id is not None for path, instance_id in session.execute(statement)}
