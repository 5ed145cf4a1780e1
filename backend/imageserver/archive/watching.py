"""The thread that keeps the index: it looks at the folder when something changes there, and regularly.

Events of the operating system get lost, and network drives have none. So each event only says "look now", and the
folder is looked at regularly in any case.
"""

import logging
import threading
import time
from collections.abc import Callable

from imageserver.archive.alerts import OnAlert, tell_nobody
from imageserver.archive.batches import Stopped
from imageserver.archive.catalogue import Catalogue
from imageserver.archive.files import DataDirectory, is_ignored
from imageserver.archive.index_writer import Outcome
from imageserver.archive.indexing import Indexer
from imageserver.archive.lease import RENEW_SECONDS, Lease, LeaseLost
from imageserver.database import Database
from imageserver.errors import AppError

logger = logging.getLogger(__name__)

RESCAN_SECONDS = 20.0
RETRY_SECONDS = 2.0
STOP_SECONDS = 5.0
_WATCH_RETRY_SECONDS = 10.0
_QUIET_MILLISECONDS = 20  # without an event before the folder is looked at
_COLLECT_MILLISECONDS = 400  # at most, while events do not end


class IndexKeeper:
    """Runs an `Indexer` in the background for as long as the server runs, if this process holds the lease."""

    def __init__(
        self,
        database: Database,
        directory: DataDirectory,
        catalogue: Catalogue,
        on_alert: OnAlert = tell_nobody,
        *,
        readers: int = 0,
    ) -> None:
        self.directory = directory
        self.catalogue = catalogue
        self.lease = Lease(database)
        self.indexer = Indexer(database, directory, self.lease, catalogue.forget, readers)
        self.on_looked: Callable[[], None] = lambda: None
        self._progress = threading.Condition()
        self._looks_begun = self._looks_ended = 0
        self._stop = threading.Event()
        self._look_now = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep, name="index", daemon=True),
            threading.Thread(target=self._watch, name="watch", daemon=True),
        ]
        self.indexer.writer.on_alert = on_alert
        self.indexer.is_stopped = self._stop.is_set

    def start(self) -> None:
        """Begin; returns at once."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after the file that is being read, and give the lease back."""
        self._stop.set()
        self._look_now.set()
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    def look_soon(self) -> None:
        """Look at the folder without waiting for the next regular time."""
        self._look_now.set()

    def look_and_wait(self, timeout: float) -> bool:
        """Look at the folder now; False where that has not ended in time, or another process keeps the index."""
        with self._progress:
            wanted = self._looks_begun + 1
            self._look_now.set()
            return self._progress.wait_for(lambda: self._looks_ended >= wanted, timeout)

    def _keep(self) -> None:
        while not self._stop.is_set():
            try:
                self._look_while_leader()
            except LeaseLost:
                logger.info("another process keeps the index now")
            except Stopped:
                break
            except AppError as error:  # database away, or disk full: the next look continues
                logger.warning("index not updated", extra={"code": error.code})
            except Exception as error:  # the thread must outlive any mistake
                logger.error("unexpected error while indexing", exc_info=_without_values(error))
            self._stop.wait(RETRY_SECONDS)
        try:
            self.lease.release()
        except AppError as error:
            logger.warning("lease not given back", extra={"code": error.code})

    def _look_while_leader(self) -> None:
        while not self._stop.is_set() and self.lease.take():
            begun = time.monotonic()
            outcome = self._look()
            # While files are copied into a large folder, the looks take no more than half of the time.
            self._stop.wait(min(time.monotonic() - begun, RENEW_SECONDS))
            if outcome.is_settling:
                self._wait_until(time.monotonic() + self.indexer.settling.seconds)
            else:
                self._wait_until(time.monotonic() + RESCAN_SECONDS)

    def _look(self) -> Outcome:
        with self._progress:
            self._look_now.clear()
            self._looks_begun += 1
        outcome = self.indexer.look()
        with self._progress:
            self._looks_ended = self._looks_begun
            self._progress.notify_all()
        self.on_looked()
        return outcome

    def _wait_until(self, moment: float) -> None:
        """Wait for an event or the moment, renewing the lease."""
        while not self._stop.is_set() and (left := moment - time.monotonic()) > 0:
            if self._look_now.wait(min(left, RENEW_SECONDS)):
                return
            if not self.lease.take():
                raise LeaseLost

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self._watch_once()
            except Exception as error:  # no folder, no inotify, too many watches: the regular looks remain
                logger.debug("folder not watched", extra={"error": type(error).__name__})
            self._stop.wait(_WATCH_RETRY_SECONDS)

    def _watch_once(self) -> None:
        from watchfiles import watch  # imported here: a server need not wait for it to start

        for _ in watch(
            self.directory.path,
            watch_filter=lambda _change, path: (
                not is_ignored(path.rpartition("/")[2].encode("utf-8", "replace"))
            ),
            debounce=_COLLECT_MILLISECONDS,
            step=_QUIET_MILLISECONDS,
            stop_event=self._stop,
            rust_timeout=500,
            raise_interrupt=False,
            ignore_permission_denied=True,
        ):
            self._look_now.set()


def _without_values(error: Exception) -> Exception:
    """Return the error with its trace and without its text, which may quote a value of a file."""
    return RuntimeError(type(error).__name__).with_traceback(error.__traceback__)
