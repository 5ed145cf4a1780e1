"""Scrubbing: in idle time the content of every indexed file is compared with the checksum that was taken of it first.

A content that changed while size, time and inode did not is a fault of the disk, or worse. Such a file is never shown
as a good one again, until it is replaced or its content is back. The metadata that are still missing are made in
passing. Only the process that keeps the index scrubs.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence

from imageserver.archive.alerts import OnAlert, tell_nobody
from imageserver.archive.digests import digest_from_disk
from imageserver.archive.due_files import Due, DueFiles
from imageserver.archive.files import DataDirectory
from imageserver.archive.lease import Lease, LeaseLost
from imageserver.archive.made_metadata import make_metadata
from imageserver.archive.scrub_findings import Seen, keep_finding, report_damage
from imageserver.database import Database
from imageserver.errors import AppError, DataDirectoryUnavailable, Gone

logger = logging.getLogger(__name__)

BATCH_SECONDS = 5.0
IDLE_SECONDS = 10.0
BUSY_SECONDS = 0.1
LONGEST_PAUSE = 1.0
NICENESS = 15


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
        self.due_files = DueFiles(database, lease, interval)
        self.on_alert = on_alert
        self.on_change = on_change
        self.is_busy = is_busy
        self.clock = clock
        self._stop = threading.Event()
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
        due = self.due_files.find(now)
        seen = self._look_at(due, is_gentle)
        if seen:
            with self.database.writing() as session:
                self.lease.keep(session)
                damaged = [item for item in seen if keep_finding(session, item, now)]
                if damaged:
                    report_damage(session, self.on_alert, damaged)
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

    def _look_at(self, due: Sequence[Due], is_gentle: bool) -> list[Seen]:
        seen: list[Seen] = []
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

    def _look_at_one(self, due: Due) -> Seen | None:
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
            return Seen(due, None, None) if self.directory.is_listable() else None
        return None if digest is None else Seen(due, digest, metadata)


def _be_nice() -> None:
    """Let all others go first; Linux counts threads as processes here."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
    except (AttributeError, OSError):
        return
