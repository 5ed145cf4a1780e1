"""Arranging series that clients send in many requests, once no more comes.

Arranging reads all instances of a series; after each request that would take quadratic time. So `store_index` arranges
a series again when it has doubled, and leaves it marked as stale otherwise. Here it is arranged as soon as nothing came
for a moment, and now and then while it goes on coming: the more seldom, the longer it takes, because nobody can store
meanwhile. Where that fails it is tried again. Where the process ends before, the next look at the folder does it.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable

from sqlalchemy import func, select

from imageserver.archive.chunks import chunks
from imageserver.archive.index_transaction import index_transaction, note_change
from imageserver.archive.models import Instance, Series
from imageserver.archive.summaries import rearrange
from imageserver.database import Database
from imageserver.errors import AppError

logger = logging.getLogger(__name__)

QUIET_SECONDS = 0.5
LONGEST_SECONDS = 3.0
REST = 10  # times as long as arranging took, nothing is arranged
LONGEST_REST_SECONDS = 60.0
RETRY_SECONDS = 0.5  # doubled with each failure
TOGETHER = 5000  # instances of all series that are arranged in one transaction
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
        self._not_before = 0.0
        self._failures = 0
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
                thread = threading.Thread(target=self._work, name="arrange", daemon=True)
                thread.start()  # it may fail: then the next that comes begins one
                self._thread = thread

    def close(self) -> None:
        """Arrange what waits, and stop; what takes too long the next look arranges."""
        with self._changed:
            self._is_closed = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join(STOP_SECONDS)

    def _work(self) -> None:
        while series_ids := self._next():
            began = time.monotonic()
            try:
                self._arrange(series_ids)
                self._failures = 0
                self._rest(REST * (time.monotonic() - began))
            except AppError as error:
                logger.warning("series not arranged yet", extra={"code": error.code})
                self._put_back(series_ids)
            except Exception as error:  # the thread must not end while others count on it
                logger.error("unexpected error while arranging", extra={"error": type(error).__name__})

    def _next(self) -> set[int]:
        """Wait until nothing came for a moment; empty when the thread is to end."""
        with self._changed:
            while self._waiting:
                due = max(min(self._last + QUIET_SECONDS, self._first + LONGEST_SECONDS), self._not_before)
                if self._is_closed or (left := due - time.monotonic()) <= 0:
                    found, self._waiting = self._waiting, set()
                    return found
                self._changed.wait(left)
            self._thread = None
            return set()

    def _rest(self, seconds: float) -> None:
        self._not_before = time.monotonic() + min(seconds, LONGEST_REST_SECONDS)

    def _put_back(self, series_ids: set[int]) -> None:
        """Let series wait again, longer each time; when closing, the next look has them."""
        with self._changed:
            if not self._is_closed:
                self._waiting |= series_ids
        self._rest(RETRY_SECONDS * 2 ** min(self._failures, 10))
        self._failures += 1

    def _arrange(self, series_ids: set[int]) -> None:
        """Arrange series, and take them out of the set as it is done."""
        for portion in self._portions(series_ids):
            with index_transaction(self._database) as session:
                stale = set(session.scalars(select(Series.id).where(Series.id.in_(portion), Series.is_stale)))
                if stale:
                    rearrange(session, stale)
                    note_change(session, added=0)
            series_ids -= portion
            self._on_change()

    def _portions(self, series_ids: set[int]) -> list[set[int]]:
        """Divide series, so that others get their turn in between."""
        present = select(func.count()).where(Instance.series_id == Series.id).scalar_subquery()
        portions: list[set[int]] = []
        left = 0
        for ids in chunks(sorted(series_ids)):
            with self._database.reading() as session:
                counts = session.execute(select(Series.id, present).where(Series.id.in_(ids))).all()
            for series_id, count in counts:
                if count > left:
                    portions.append(set())
                    left = TOGETHER
                portions[-1].add(series_id)
                left -= count
        return portions
