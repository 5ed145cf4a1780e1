"""Writing together what waits at the same moment: one of those who wait does it for all of them.

Whoever comes first writes. Those who come meanwhile wait, and the first of them writes for all who wait then. So
nobody waits for others to come, and the more there are at once, the less each costs.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from imageserver.errors import DatabaseUnavailable

WAIT_SECONDS = 20.0
BUSY = "The index is busy; try again in a moment."

Work = TypeVar("Work")
Result = TypeVar("Result")

# Takes the works of those who wait now; the first is of who writes. Called again it returns the same.
Take = Callable[[], Sequence[Work]]


class _Waiting(Generic[Work, Result]):
    """Somebody who waits: until it is done, or until it is their turn to write."""

    def __init__(self, work: Work, size: int) -> None:
        self.work = work
        self.size = size
        self.woken = threading.Event()
        self.is_writer = False
        self.result: Result | None = None
        self.failure: Exception | None = None
        self.is_done = False

    def finish(self, result: Result | None, failure: Exception | None = None) -> None:
        """Tell what became of it; only the first time counts."""
        if not self.is_done:
            self.result, self.failure, self.is_done = result, failure, True
            self.woken.set()


class CommitGroups(Generic[Work, Result]):
    """Those who wait for one thing to be written; safe to use from many threads.

    Parameters
    ----------
    write : callable
        Writes works together, all or none of them, and returns the results in their order. It is given a callable that
        returns the works, so that it can call it as late as possible: the more wait by then.
    most : int
        Largest sum of sizes of a group; a single work may be larger.
    """

    def __init__(self, write: Callable[[Take[Work]], Sequence[Result]], most: int) -> None:
        self._write = write
        self._most = most
        self._changed = threading.Lock()
        self._queue: deque[_Waiting[Work, Result]] = deque()
        self._has_writer = False

    def add(self, work: Work, size: int) -> Result:
        """Have a work written, together with others.

        Parameters
        ----------
        work : Work
            What `write` is given of it.
        size : int
            How much it is.

        Returns
        -------
        Result
            What `write` returned for it.

        Raises
        ------
        DatabaseUnavailable
            If it does not get its turn, or the database fails.
        Exception
            What writing it raises; of a work that fails beside others, what it raises when it is written alone.
        """
        own: _Waiting[Work, Result] = _Waiting(work, size)
        with self._changed:
            self._queue.append(own)
            if not self._has_writer:
                self._has_writer = own.is_writer = True
                own.woken.set()
        self._wait(own)
        if own.is_writer:
            self._lead(own)
        if own.failure is not None:
            raise own.failure
        return own.result  # type: ignore[return-value]

    def _wait(self, own: _Waiting[Work, Result]) -> None:
        """Wait; who gives up may only do so before somebody has begun to write the work."""
        until = time.monotonic() + WAIT_SECONDS
        try:
            is_woken = own.woken.wait(until - time.monotonic())
        except BaseException:  # the main thread is interrupted
            if not self._withdraw(own):
                own.woken.wait()
                if own.is_writer:
                    self._hand_over(own)
            raise
        if is_woken:
            return
        if self._withdraw(own):
            raise DatabaseUnavailable(BUSY)
        own.woken.wait()

    def _withdraw(self, own: _Waiting[Work, Result]) -> bool:
        """Take a work back, unless somebody has begun to write it, or it is the turn of who waits."""
        with self._changed:
            if own.is_writer or own not in self._queue:
                return False
            self._queue.remove(own)
            return True

    def _lead(self, own: _Waiting[Work, Result]) -> None:
        group: list[_Waiting[Work, Result]] = []

        def take() -> Sequence[Work]:
            if not group:
                group.extend(self._take())
            return [one.work for one in group]

        try:
            self._write_together(own, take, group)
        finally:
            for one in group:  # where even that was interrupted
                one.finish(None, DatabaseUnavailable(BUSY))
            self._hand_over(own)

    def _write_together(
        self, own: _Waiting[Work, Result], take: Take[Work], group: Sequence[_Waiting[Work, Result]]
    ) -> None:
        try:
            results = self._write(take)
        except DatabaseUnavailable as error:
            for one in group or [own]:
                one.finish(None, error if one is own else DatabaseUnavailable(error.detail))
        except Exception as error:
            if len(group) <= 1:
                own.finish(None, error)
                return
            for one in group:  # who is to blame shows when each is alone
                self._write_alone(one)
        else:
            for one, result in zip(group, results, strict=True):
                one.finish(result)

    def _write_alone(self, one: _Waiting[Work, Result]) -> None:
        try:
            one.finish(self._write(lambda: [one.work])[0])
        except Exception as error:
            one.finish(None, error)

    def _take(self) -> list[_Waiting[Work, Result]]:
        with self._changed:
            group = [self._queue.popleft()]
            size = group[0].size
            while self._queue and size + self._queue[0].size <= self._most:
                group.append(self._queue.popleft())
                size += group[-1].size
            return group

    def _hand_over(self, own: _Waiting[Work, Result]) -> None:
        """Let the first of those who wait write next."""
        with self._changed:
            if own in self._queue:  # the writing failed before it took anything
                self._queue.remove(own)
            self._has_writer = bool(self._queue)
            if self._queue:
                self._queue[0].is_writer = True
                self._queue[0].woken.set()
