"""What is kept of a look at the content of a file, and what follows where the content is not what it was."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import update
from sqlalchemy.orm import Session

from imageserver.archive.alerts import OnAlert, alert
from imageserver.archive.checksums import INTEGRITY_MISMATCH, MISMATCH_REASON
from imageserver.archive.due_files import Due
from imageserver.archive.files import FileIdentity
from imageserver.archive.made_metadata import Metadata
from imageserver.archive.metadata import Source, keep_metadata
from imageserver.archive.models import INDEX_STATE_ID, File, IndexState, Instance
from imageserver.archive.reading import REFUSED
from imageserver.archive.storing import series_of
from imageserver.archive.summaries import rearrange

logger = logging.getLogger(__name__)


class Seen(NamedTuple):
    """What was found in a file; no checksum where it could not be read."""

    due: Due
    sha256: str | None
    metadata: Metadata | None


def keep_finding(session: Session, seen: Seen, now: int) -> bool:
    """Store it; True where it was not known yet that the file is damaged."""
    due = seen.due
    file = session.get(File, due.file_id)
    if file is None or (file.path, _identity(file)) != (due.path, due.identity):
        return False
    file.scrubbed = now
    if seen.sha256 is None:
        return False
    if file.sha256 is not None and file.sha256 != seen.sha256:
        return _mark(session, file)
    file.sha256 = seen.sha256
    if file.code == INTEGRITY_MISMATCH:  # its content is back
        file.code, file.read_by = None, ""  # the next look reads it anew
        _next_generation(session)
    if seen.metadata is not None and due.instance_id is not None:
        keep_metadata(session, Source(due.instance_id, due.path, due.identity), seen.metadata)
    return False


def report_damage(session: Session, on_alert: OnAlert, damaged: Sequence[Seen]) -> None:
    """Arrange the series of damaged files anew, raise an alert for each file, and let every process ask anew."""
    session.flush()
    files = [session.get_one(File, item.due.file_id) for item in damaged]
    for file in files:
        series = series_of(session, [file.sop_instance_uid])
        rearrange(session, series)
        alert(session, on_alert, INTEGRITY_MISMATCH, series)
    _next_generation(session)
    logger.error("content of files has changed", extra={"code": INTEGRITY_MISMATCH, "files": len(files)})


def _mark(session: Session, file: File) -> bool:
    if file.code == INTEGRITY_MISMATCH:
        return False
    file.state, file.code, file.reason = REFUSED, INTEGRITY_MISMATCH, MISMATCH_REASON
    if file.instance_id is not None:
        instance = session.get_one(Instance, file.instance_id)
        instance.refused_code, instance.refused_reason = INTEGRITY_MISMATCH, MISMATCH_REASON
    return True


def _identity(file: File) -> FileIdentity:
    return FileIdentity(file.size, file.mtime_ns, file.inode)


def _next_generation(session: Session) -> None:
    """Let every process ask anew."""
    session.execute(
        update(IndexState)
        .where(IndexState.id == INDEX_STATE_ID)
        .values(generation=IndexState.generation + 1),
        execution_options={"synchronize_session": False},
    )
