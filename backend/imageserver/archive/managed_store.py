"""The store of one server process: what clients sent, and what was deleted. It knows neither HTTP nor DIMSE."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from imageserver.archive.alerts import OnAlert, tell_nobody
from imageserver.archive.files import DataDirectory
from imageserver.archive.holders import has_stored_files
from imageserver.archive.incoming import Record
from imageserver.archive.late_arranging import LateArranging
from imageserver.archive.quarantine import Quarantine
from imageserver.archive.store import StoreRun, record_nothing
from imageserver.archive.store_folder import StoreFolder
from imageserver.archive.store_index import StoreIndex
from imageserver.archive.store_outcomes import StoreOutcome
from imageserver.archive.trash import RecordDeleted, Trash
from imageserver.database import Database
from imageserver.errors import AppError, NotOffered, StoreUnavailable
from imageserver.settings import Settings

logger = logging.getLogger(__name__)

MEBIBYTE = 1024 * 1024
SWEEP_SECONDS = 600.0
THREADS = 32  # which check and sync what was received; of these a run uses eight

StoreFolderState = Literal["ok", "full", "unavailable", "not_configured"]


class Store:
    """What the API asks to store, delete and restore.

    Attributes
    ----------
    trash : Trash
    quarantine : Quarantine or None
        None where nothing can be stored.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        directory: DataDirectory,
        on_alert: OnAlert = tell_nobody,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._folder = None
        if settings.store_dir is not None:
            self._folder = StoreFolder(settings.store_dir, reserve=settings.store_reserve_mib * MEBIBYTE)
        self._file_bytes = settings.store_file_mib * MEBIBYTE
        self._days = settings.deleted_days
        self._index = None
        self._late = LateArranging(database, on_change)
        if self._folder is not None:
            late = self._late.expect
            self._index = StoreIndex(database, directory, self._folder, on_alert, on_change, late)
        self.trash = Trash(database, self._folder, self._index, on_change)
        self.quarantine = None
        if self._folder is not None and self._index is not None:
            self.quarantine = Quarantine(self._folder, self._index)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="store")
        self._opening = threading.Lock()
        self._is_known_disk = False
        self._swept = float("-inf")

    @property
    def is_offered(self) -> bool:
        """Whether anything can be stored here."""
        return self._folder is not None

    def open(self) -> None:
        """Make the folder ready, and remove what a former process was receiving; does nothing without a folder.

        Raises
        ------
        StoreUnavailable, StorageFull
        """
        with self._opening:
            self._open()

    def _open(self) -> None:
        if self._folder is not None and self._folder.open():
            self._is_known_disk = False

    def close(self) -> None:
        """Leave nothing behind that was not stored."""
        self._late.close()
        self._threads.shutdown()
        if self._folder is not None:
            self._folder.close()

    def run(self) -> StoreRun:
        """Begin to store instances.

        Raises
        ------
        NotOffered
            If there is no folder for it.
        StoreUnavailable, StorageFull
            If that cannot be written, or is not the one that was.
        """
        if self._folder is None or self._index is None:
            raise NotOffered(
                "This server stores nothing: IMAGESERVER_STORE_DIR is not set. Its data directory is only read."
            )
        with self._opening:  # else one could believe what another has seen of a disk that is away since
            self._open()
            self._require_disk(self._folder)
        return StoreRun(self._folder, self._index, self._file_bytes, self._threads)

    def state(self) -> StoreFolderState:
        """Tell how the folder is just now."""
        if self._folder is None:
            return "not_configured"
        try:
            return "full" if self._folder.is_full() else "ok"
        except AppError:
            return "unavailable"

    def is_busy(self) -> bool:
        """Tell whether something was received just now."""
        return self._folder is not None and self._folder.is_busy()

    def _require_disk(self, folder: StoreFolder) -> None:
        """Refuse a folder without a file of an index that has some: its disk is away, and would hide what came here."""
        if self._is_known_disk:
            return
        if folder.is_bare:
            with self._database.reading() as session:
                if has_stored_files(session):
                    raise StoreUnavailable(
                        "The store is empty, although it had instances; its disk may be away."
                    )
        self._is_known_disk = True

    def store_instance(
        self, chunks: Iterable[bytes], study_instance_uid: str | None = None, record: Record = record_nothing
    ) -> StoreOutcome:
        """Store one object; raises as `run`, `StoreRun.receive` and `StoreRun.commit`."""
        with self.run() as run:
            run.receive(chunks, study_instance_uid)
            return run.commit(record)[0]

    def sweep_if_due(self, record: RecordDeleted) -> None:
        """Look after the trash now and then; only the process that keeps the index calls this."""
        if self._folder is None or time.monotonic() - self._swept < SWEEP_SECONDS:
            return
        self._swept = time.monotonic()
        try:
            with self._opening:
                self._open()
                self._require_disk(self._folder)
            self.trash.sweep(self._days, record)
        except (AppError, OSError) as error:  # the next sweep goes on
            logger.warning("trash not swept", extra={"error": type(error).__name__})
