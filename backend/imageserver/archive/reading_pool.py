"""Reading the headers of many files in several processes, in order, with bounded memory.

A part of the files goes to each process; what comes back waits in a short queue for who writes the index. A process
that dies or hangs is replaced, and its part is read again file by file, so that only the file that broke it is lost.
"""

import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

from imageserver.archive.files import DataDirectory, FoundFile
from imageserver.archive.header_reader import COMMAND, Answer, Part, Reader, parts_of
from imageserver.archive.reading import REFUSED, ReadFile, read_files

logger = logging.getLogger(__name__)

MOST_READERS = 8
_PARTS_AHEAD = 4  # per reader, sent but not answered
_PARTS_READ = 8  # per reader, answered but not written
_STARTS = 3
_POLL_SECONDS = 0.1
BROKE_READER = "broke_reader"
TOO_SLOW = "too_slow"


class ReadersUnavailable(Exception):
    """No reading process can be started; the files have to be read without."""


class ReadingPool:
    """Reads files in processes that live as long as one call of `read`.

    Parameters
    ----------
    directory : DataDirectory
    size : int
        How many processes.
    command : sequence of str, optional
        What is started; for tests.
    """

    def __init__(self, directory: DataDirectory, size: int, command: Sequence[str] = COMMAND) -> None:
        self._directory = directory
        self._size = size
        self._command = command
        self._readers: list[Reader] = []
        self._again: deque[Part] = deque()
        self._failed_starts = 0
        self._stop = threading.Event()

    def read(
        self, files: Iterable[FoundFile], is_stopped: Callable[[], bool] = lambda: False
    ) -> Generator[Answer]:
        """Read files.

        Parameters
        ----------
        files : iterable of FoundFile
            Is gone through as reading goes on.
        is_stopped : callable
            Asked several times a second; the iteration then ends early.

        Yields
        ------
        list of ReadFile or None
            Parts of the answer in the order of the files, and empty ones several times a second while there is none;
            None for a file that changed since it was found.
        """
        answers: queue.Queue[Answer | BaseException | None] = queue.Queue(_PARTS_READ * self._size)
        thread = threading.Thread(target=self._run, args=(files, answers), name="read headers", daemon=True)
        thread.start()
        try:
            while not is_stopped():
                try:
                    answer = answers.get(timeout=_POLL_SECONDS)
                except queue.Empty:
                    yield []
                    continue
                if answer is None:
                    return
                if isinstance(answer, BaseException):
                    raise answer
                yield answer
        finally:
            self._stop.set()
            thread.join()

    def pids(self) -> list[int]:
        """Return the process ids, for diagnostics."""
        return sorted(reader.process.pid for reader in self._readers)

    def _run(self, files: Iterable[FoundFile], answers: Any) -> None:
        end: BaseException | None = None
        try:
            for answer in self._answers(parts_of(files)):
                self._put(answers, answer)
        except BaseException as error:
            end = error
        finally:
            for reader in self._readers:
                reader.end()
            self._put(answers, end)

    def _put(self, answers: Any, answer: Answer | BaseException | None) -> None:
        while not self._stop.is_set():
            try:
                answers.put(answer, timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return

    def _answers(self, parts: Iterator[Part]) -> Iterator[Answer]:
        waiting: deque[Part] = deque()  # in order, done or not
        is_exhausted = False
        while not self._stop.is_set():
            try:
                self._fill_up()
            except (ReadersUnavailable, OSError):
                yield from self._without_readers(waiting, parts)
                return
            while not is_exhausted and len(waiting) < 2 * _PARTS_AHEAD * self._size:
                part = next(parts, None)
                is_exhausted = part is None
                if part is not None:
                    waiting.append(part)
                    self._again.append(part)
            self._hand_out()
            self._collect()
            while waiting and waiting[0].is_done:
                yield waiting.popleft().answers
            if is_exhausted and not waiting:
                return

    def _fill_up(self) -> None:
        while len(self._readers) < self._size:
            if self._failed_starts >= _STARTS:
                raise ReadersUnavailable
            self._readers.append(Reader(self._command, self._directory))

    def _without_readers(self, waiting: deque[Part], parts: Iterator[Part]) -> Iterator[Answer]:
        logger.error("no reading process can be started; files are read one by one")
        for part in (*waiting, *parts):
            if self._stop.is_set():
                return
            yield [*part.answers, *read_files(self._directory, part.files[len(part.answers) :])]

    def _hand_out(self) -> None:
        while self._again:
            reader = min(self._readers, key=lambda reader: len(reader.parts))
            if len(reader.parts) >= _PARTS_AHEAD:
                return
            part = self._again.popleft()
            try:
                reader.send(part)
            except OSError:
                self._replace(reader, BROKE_READER)
                return

    def _collect(self) -> None:
        connections = {reader.connection: reader for reader in self._readers}
        for ready in wait(list(connections), _POLL_SECONDS):
            assert isinstance(ready, Connection)
            reader = connections[ready]
            try:
                self._receive(reader, ready.recv())
            except (EOFError, OSError):
                self._replace(reader, BROKE_READER)
        for reader in [reader for reader in self._readers if reader.is_late]:
            self._replace(reader, TOO_SLOW)

    def _receive(self, reader: Reader, answer: Any) -> None:
        reader.since = time.monotonic()
        if not reader.is_ready:
            reader.is_ready = True
            self._failed_starts = 0
            return
        part = reader.parts.popleft()
        part.answer(answer)
        if not part.is_done:
            self._again.appendleft(part)

    def _replace(self, reader: Reader, code: str) -> None:
        """End a process that is of no more use; what it was sent is read again by others."""
        reader.end()
        self._readers.remove(reader)
        self._again.extendleft(reversed(reader.parts))
        if not reader.is_ready:
            self._failed_starts += 1
        elif reader.parts:
            logger.warning("a reading process was ended; another takes its place", extra={"code": code})
            self._blame(reader.parts[0], code)

    def _blame(self, part: Part, code: str) -> None:
        """Read what was together in a process that ended one by one, and refuse what then ends two more."""
        if part.step > 1:
            part.step = 1
            return
        part.accidents += 1
        if code == BROKE_READER and part.accidents < 2:  # the process may have been killed by somebody else
            return
        reason = (
            "Reading it takes too long."
            if code == TOO_SLOW
            else "The file cannot be read: it ends the reader."
        )
        part.answer([ReadFile(*part.next_files[0], REFUSED, code, reason)])
        if part.is_done:
            self._again.remove(part)


def readers_for(processors: int | None = None) -> int:
    """Return how many processes read at the same time: one for each processor that this process may use."""
    usable = processors or (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    )
    return max(1, min(MOST_READERS, usable or 1))
