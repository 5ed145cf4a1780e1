"""What a command tells while the index is being brought up to date, on standard error.

On a terminal one line that is written over; elsewhere, as in a log, a plain line now and then. It is told from the
database, where the index keeps its progress anyway.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from imageserver.archive.volumes import IndexStatus, get_index_status
from imageserver.database import Database
from imageserver.errors import AppError

TERMINAL_SECONDS = 0.5
PLAIN_SECONDS = 10.0
BAR_WIDTH = 24
_CLEAR_LINE = "\r\x1b[K"


class ProgressLine:
    """Makes lines of what the index says of itself.

    The number of files to read is taken from the first status that has any pending.
    """

    def __init__(self, clock: float) -> None:
        self._started = clock
        self._files = 0

    def text(self, status: IndexStatus, clock: float, *, with_bar: bool) -> str | None:
        """Return a line, or None where nothing is being read."""
        self._files = max(self._files, status.pending)
        if not status.pending:
            return None
        read = self._files - status.pending
        parts = [
            f"{read} of {self._files} files read",
            f"{status.indexed} indexed",
            f"{status.refused} refused",
            f"{read / max(clock - self._started, 0.001):.0f}/s",
        ]
        if status.remaining_seconds is not None:
            parts.append(f"{duration(status.remaining_seconds)} left")
        return (bar(read / self._files) + " " if with_bar else "") + ", ".join(parts)


def bar(part: float) -> str:
    """Draw a part of 1."""
    full = int(part * BAR_WIDTH)
    return f"[{'#' * full}{'-' * (BAR_WIDTH - full)}]"


def duration(seconds: float) -> str:
    """Write a time as people say it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@contextmanager
def shown_progress(database: Database, stream: TextIO | None = None) -> Iterator[None]:
    """Tell the progress of the index until the end of the block."""
    stream = stream or sys.stderr
    done = threading.Event()
    thread = threading.Thread(target=_show, args=(database, stream, done), name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _show(database: Database, stream: TextIO, done: threading.Event) -> None:
    is_terminal = stream.isatty()
    line = ProgressLine(time.monotonic())
    while not done.wait(TERMINAL_SECONDS if is_terminal else PLAIN_SECONDS):
        try:
            with database.reading() as session:
                status = get_index_status(session)
        except AppError:  # what the command itself meets, it tells
            continue
        text = line.text(status, time.monotonic(), with_bar=is_terminal)
        if text is not None:
            print(
                f"{_CLEAR_LINE}{text}" if is_terminal else text, end="" if is_terminal else "\n", file=stream
            )
            stream.flush()
    if is_terminal:
        print(_CLEAR_LINE, end="", file=stream, flush=True)
