"""Scrubbing: in idle time the content of every indexed file is compared with the checksum that was taken of it first.

A content that changed while size, time and inode did not is a fault of the disk, or worse. Such a file is never shown
as a good one again, until it is replaced or its content is back. The metadata that are still missing are made in
passing. Only the process that keeps the index scrubs.
"""

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, NamedTuple

from sqlalchemy import ColumnElement, Select, or_, select, update
from sqlalchemy.orm import Session

from imageserver.archive.alerts import OnAlert, alert, tell_nobody
from imageserver.archive.checksums import INTEGRITY_MISMATCH, MISMATCH_REASON
from imageserver.archive.files import DataDirectory, FileIdentity
from imageserver.archive.lease import Lease, LeaseLost
from imageserver.archive.metadata import Metadata, Source, keep_metadata, make_metadata
from imageserver.archive.models import (
    INDEX_STATE_ID,
    File,
    IndexState,
    Instance,
    InstanceMetadata,
)
from imageserver.archive.reading import REFUSED
from imageserver.archive.reading_rules import metadata_stamp
from imageserver.archive.storing import rearrange, series_of
from imageserver.database import Database
from imageserver.errors import AppError, DataDirectoryUnavailable, Gone

logger = logging.getLogger(__name__)

BATCH_FILES = 50
BATCH_SECONDS = 5.0
IDLE_SECONDS = 10.0
BUSY_SECONDS = 0.1
LONGEST_PAUSE = 1.0
NICENESS = 15
_BLOCK = 1024 * 1024
_READY = "ready"


class _Due(NamedTuple):
    """A file whose turn it is."""

    file_id: int
    instance_id: int | None
    path: bytes
    identity: FileIdentity
    sha256: str | None
    lacks_metadata: bool


class _Seen(NamedTuple):
    """What was found in it; no checksum where it could not be read."""

    due: _Due
    sha256: str | None
    metadata: Metadata | None


class Scrubber:
    """Looks at the content of all indexed files, one after the other, once per interval.

    Parameters
    ----------
    interval : float
        Seconds after which a file is looked at again.
    is_busy : callable
        Tells whether something else needs the disk and the processor now.
    """

    def __init__(
        self,
        database: Database,
        directory: DataDirectory,
        lease: Lease,
        *,
        interval: float,
        on_alert: OnAlert = tell_nobody,
        on_change: Callable[[], None] = lambda: None,
        is_busy: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.database = database
        self.directory = directory
        self.lease = lease
        self.interval = interval
        self.on_alert = on_alert
        self.on_change = on_change
        self.is_busy = is_busy
        self.clock = clock
        self._stop = threading.Event()
        self._complete_generation = -1  # of the index, when no metadata were missing
        self._thread = threading.Thread(target=self._run, name="scrub", daemon=True)

    def start(self) -> None:
        """Begin to scrub in the background; returns at once."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Stop within the file that is being read."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def step(self, *, is_gentle: bool = False) -> int:
        """Look at the files whose turn it is, at most one batch; return how many that were.

        None are while the index is being built, or when another process keeps it.

        Raises
        ------
        LeaseLost
            If another process took the index over meanwhile.
        DatabaseUnavailable, StorageFull
        """
        now = int(self.clock())
        due = self._find_due(now)
        seen = self._look_at(due, is_gentle)
        if seen:
            with self.database.writing() as session:
                self.lease.keep(session)
                damaged = [item for item in seen if self._keep(session, item, now)]
                if damaged:
                    self._report(session, damaged)
            if damaged:
                self.on_change()
        return len(seen)

    def _run(self) -> None:
        _be_nice()
        while not self._stop.is_set():
            count = 0
            try:
                count = self.step(is_gentle=True)
            except LeaseLost:
                logger.info("another process scrubs now")
            except AppError as error:  # database away, or disk full
                logger.warning("scrub interrupted", extra={"code": error.code})
            except Exception as error:  # the thread must outlive any mistake
                logger.error("unexpected error while scrubbing", extra={"error": type(error).__name__})
            if not count:
                self._stop.wait(IDLE_SECONDS)

    def _find_due(self, now: int) -> list[_Due]:
        with self.database.reading() as session:
            state = session.get(IndexState, INDEX_STATE_ID)
            if state is None or state.lease_owner != self.lease.owner or state.state != _READY:
                return []
            # Of a clock that was set back: what lies in the future would never be due.
            is_due = (File.scrubbed <= now - max(self.interval, 1)) | (File.scrubbed > now)
            statement = _indexed().where(File.sop_instance_uid.is_not(None), is_due)
            rows = session.execute(statement.order_by(File.scrubbed, File.id).limit(BATCH_FILES)).all()
            if not rows and state.generation != self._complete_generation:
                rows = session.execute(_indexed().where(_lacks_metadata()).limit(BATCH_FILES)).all()
                if not rows:
                    self._complete_generation = state.generation
        stamp = metadata_stamp()
        return [
            _Due(row[0], row[1], row[2], FileIdentity(*row[3:6]), row[6], row[7] != stamp) for row in rows
        ]

    def _look_at(self, due: Sequence[_Due], is_gentle: bool) -> list[_Seen]:
        seen: list[_Seen] = []
        began = time.monotonic()
        for item in due:
            while is_gentle and self.is_busy() and not self._stop.wait(BUSY_SECONDS):
                pass
            if self._stop.is_set() or time.monotonic() - began > BATCH_SECONDS:
                break
            started = time.monotonic()
            if (found := self._look_at_one(item)) is not None:
                seen.append(found)
            if is_gentle:  # half of the time is left to others
                self._stop.wait(min(time.monotonic() - started, LONGEST_PAUSE))
        return seen

    def _look_at_one(self, due: _Due) -> _Seen | None:
        """Read one file; None where it changed, which the next look at the folder will tell."""
        try:
            with self.directory.open(due.path, due.identity) as stream:
                digest = digest_from_disk(stream, self._stop.is_set)
                metadata = None
                if digest is not None and due.instance_id is not None and due.lacks_metadata:
                    stream.seek(0)
                    metadata = make_metadata(stream)
        except Gone:
            return None
        except DataDirectoryUnavailable:  # a sector that cannot be read, or no folder at all
            return _Seen(due, None, None) if self.directory.is_listable() else None
        return None if digest is None else _Seen(due, digest, metadata)

    def _keep(self, session: Session, seen: _Seen, now: int) -> bool:
        """Store what was found in a file; True where it was not known yet that the file is damaged."""
        due = seen.due
        file = session.get(File, due.file_id)
        if file is None or (file.path, _identity(file)) != (due.path, due.identity):
            return False
        file.scrubbed = now
        if seen.sha256 is None:
            return False
        if file.sha256 is not None and file.sha256 != seen.sha256:
            return self._mark(session, file)
        file.sha256 = seen.sha256
        if file.code == INTEGRITY_MISMATCH:  # its content is back
            file.code, file.read_by = None, ""  # the next look reads it anew
            _next_generation(session)
        if seen.metadata is not None and due.instance_id is not None:
            keep_metadata(session, Source(due.instance_id, due.path, due.identity), seen.metadata)
        return False

    def _mark(self, session: Session, file: File) -> bool:
        if file.code == INTEGRITY_MISMATCH:
            return False
        file.state, file.code, file.reason = REFUSED, INTEGRITY_MISMATCH, MISMATCH_REASON
        if file.instance_id is not None:
            instance = session.get_one(Instance, file.instance_id)
            instance.refused_code, instance.refused_reason = INTEGRITY_MISMATCH, MISMATCH_REASON
        return True

    def _report(self, session: Session, damaged: Sequence[_Seen]) -> None:
        session.flush()
        files = [session.get_one(File, item.due.file_id) for item in damaged]
        for file in files:
            series = series_of(session, [file.sop_instance_uid])
            rearrange(session, series)
            alert(session, self.on_alert, INTEGRITY_MISMATCH, series)
        _next_generation(session)
        logger.error("content of files has changed", extra={"code": INTEGRITY_MISMATCH, "files": len(files)})


def digest_from_disk(stream: BinaryIO, is_stopped: Callable[[], bool] = lambda: False) -> str | None:
    """Return the SHA-256 of an open file in hexadecimal, from the disk rather than from memory where that can be had.

    None where it was stopped.
    """
    digest = hashlib.sha256()
    _forget_pages(stream)
    while block := stream.read(_BLOCK):
        digest.update(block)
        if is_stopped():
            return None
    return digest.hexdigest()


def _forget_pages(stream: BinaryIO) -> None:
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _indexed() -> Select[*tuple[Any, ...]]:
    identity = (File.size, File.mtime_ns, File.inode)
    return select(
        File.id, File.instance_id, File.path, *identity, File.sha256, InstanceMetadata.made_by
    ).outerjoin(InstanceMetadata, InstanceMetadata.instance_id == File.instance_id)


def _lacks_metadata() -> ColumnElement[bool]:
    missing = or_(InstanceMetadata.made_by.is_(None), InstanceMetadata.made_by != metadata_stamp())
    return File.instance_id.is_not(None) & missing


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


def _be_nice() -> None:
    """Let all others go first; Linux counts threads as processes here."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    except (AttributeError, OSError):
        return
