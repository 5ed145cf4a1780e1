"""A process that reads headers for the server: many files at a time need more than one processor.

It is started with nothing of the server's settings in its environment, works at low priority, and may die: a file that
breaks it costs that file. Requests and answers are lists in the same order, over a socket whose descriptor is the
first argument; a first message says that it is ready. It ends with the socket, so it cannot outlive the server.
"""

import contextlib
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from imageserver.archive.files import DataDirectory, FoundFile
from imageserver.archive.reading import ReadFile, read_files
from imageserver.dicom.limits import DEFAULT_LIMITS, MEBIBYTE

NICENESS = 10
OBJECTS_BETWEEN_COLLECTIONS = 20_000  # a header makes hundreds, which nearly all go by themselves
# A deflated data set is there twice for a moment.
_MEMORY_BEYOND_START = 2 * DEFAULT_LIMITS.inflated_ceiling + 256 * MEBIBYTE

Read = Callable[[DataDirectory, list[FoundFile]], list[ReadFile | None]]


def _limit() -> None:
    """Give way to everybody else: to the server in time, to all in memory."""
    os.nice(NICENESS)
    with contextlib.suppress(OSError, ValueError):  # not everywhere is there a /proc
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + _MEMORY_BEYOND_START,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then ends this process


def _collect_seldom() -> None:
    """Look for garbage in cycles less often, and never among the libraries: it takes a tenth of the time."""
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, 20, 100)


def serve(connection: Connection, read: Read = read_files) -> None:
    """Answer requests until the socket ends."""
    path, store = (part and Path(os.fsdecode(part)) for part in connection.recv())
    directory = DataDirectory(path, store)
    connection.send("ready")
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(read(directory, connection.recv()))


if __name__ == "__main__":
    _limit()
    _collect_seldom()
    serve(Connection(int(sys.argv[1])))
