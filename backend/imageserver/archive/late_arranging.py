"""Arranging series that clients send in many requests, once no more comes.

Arranging reads all instances of a series; after each request that would take quadratic time. So `store_index` arranges
a series again when it has doubled, and leaves it marked as stale otherwise. Here it is arranged as soon as nothing came
for a moment. Where that fails, or the server stops before, the next look at the folder does it.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable

from sqlalchemy import select

from imageserver.archive.chunks import chunks
from imageserver.archive.index_transaction import index_transaction, note_change
from imageserver.archive.models import Series
from imageserver.archive.summaries import rearrange
from imageserver.database import Database
from imageserver.errors import AppError

logger = logging.getLogger(__name__)

QUIET_SECONDS = 0.5
LONGEST_SECONDS = 3.0
STOP_SECONDS = 5.0


class LateArranging:
    """The series that one process has left stale, and a thread while there are any.

    Parameters
    ----------
    database : Database
    on_change : callable
        Called when the index has changed.
    """

    def __init__(self, database: Database, on_change: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._on_change = on_change
        self._changed = threading.Condition()
        self._waiting: set[int] = set()
        self._first = self._last = 0.0
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def expect(self, series_ids: Iterable[int]) -> None:
        """Arrange these series soon; call it when they have been committed."""
        with self._changed:
            self._last = time.monotonic()
            if not self._waiting:
                self._first = self._last
            self._waiting.update(series_ids)
            if self._waiting and self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._work, name="arrange", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop; what is left stale the next look arranges."""
        with self._changed:
            self._is_closed = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join(STOP_SECONDS)

    def _work(self) -> None:
        while series_ids := self._next():
            try:
                self._arrange(series_ids)
            except AppError as error:
                logger.warning("series not arranged yet", extra={"code": error.code})
            except Exception as error:  # the thread must not end while others count on it
                logger.error("unexpected error while arranging", extra={"error": type(error).__name__})

    def _next(self) -> set[int]:
        """Wait until nothing came for a moment; empty when the thread is to end."""
        with self._changed:
            while self._waiting and not self._is_closed:
                due = min(self._last + QUIET_SECONDS, self._first + LONGEST_SECONDS)
                if (left := due - time.monotonic()) <= 0:
                    found, self._waiting = self._waiting, set()
                    return found
                self._changed.wait(left)
            self._thread = None
            return set()

    def _arrange(self, series_ids: set[int]) -> None:
        for ids in chunks(sorted(series_ids)):
            with index_transaction(self._database) as session:
                stale = set(session.scalars(select(Series.id).where(Series.id.in_(ids), Series.is_stale)))
                if stale:
                    rearrange(session, stale)
                    note_change(session, added=0)
            self._on_change()
