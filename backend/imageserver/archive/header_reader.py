"""One process that reads headers, seen from the server, and the files that it is sent together."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import imageserver
from imageserver.archive.files import DataDirectory, FoundFile
from imageserver.archive.reading import ReadFile

PART_FILES = 64
PART_BYTES = 64 * 1024 * 1024  # of files: the headers of large ones are large as well
PART_PATH_BYTES = 12 * 1024  # so that requests fit into the socket while the process is busy
PART_SECONDS = 120.0
FILE_SECONDS = 60.0
START_SECONDS = 60.0
_SOCKET_BYTES = 256 * 1024
_END_SECONDS = 2.0
# What a Python process needs to start and find its libraries; no setting or secret of the server.
_ENVIRONMENT = ("PATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "TZ")
COMMAND = (sys.executable, "-P", "-m", "imageserver.archive.reading_process")

Answer = list[ReadFile | None]


class Part:
    """Files that are read together; after an accident, one by one."""

    def __init__(self, files: list[FoundFile]) -> None:
        self.files = files
        self.answers: Answer = []
        self.step = len(files)
        self.accidents = 0

    @property
    def next_files(self) -> list[FoundFile]:
        """What is to be read now."""
        return self.files[len(self.answers) :][: self.step]

    def answer(self, answers: Answer) -> None:
        """Take what the next files are; paths and identities stay one object each, since the index remembers them."""
        self.answers += [
            None if file is None else replace(file, path=found.path, identity=found.identity)
            for file, found in zip(answers, self.next_files, strict=True)
        ]
        self.accidents = 0

    @property
    def is_done(self) -> bool:
        """Whether all files have an answer."""
        return len(self.answers) == len(self.files)

    @property
    def seconds(self) -> float:
        """How long an answer may take."""
        return FILE_SECONDS if self.step == 1 else PART_SECONDS


class Reader:
    """One reading process, and the parts that it was sent."""

    def __init__(self, command: Sequence[str], directory: DataDirectory) -> None:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)
        self.connection = Connection(ours.detach())
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        environment["PYTHONPATH"] = str(Path(imageserver.__file__).parents[1])
        environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
        self.process = subprocess.Popen(  # noqa: S603 - our own module, no input in the command
            [*command, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=environment,
            cwd="/",
        )
        theirs.close()
        self.is_ready = False
        self.parts: deque[Part] = deque()
        self.since = time.monotonic()
        store = directory.store and os.fsencode(directory.store.path.absolute())
        self.connection.send((os.fsencode(directory.path.absolute()), store))

    def send(self, part: Part) -> None:
        """Ask for the next files of a part; raises OSError where the process is no more."""
        if not self.parts and self.is_ready:
            self.since = time.monotonic()
        self.parts.append(part)
        self.connection.send(part.next_files)

    @property
    def is_late(self) -> bool:
        """Whether the process takes longer than it may, for its start or for what it reads."""
        if self.is_ready and not self.parts:
            return False
        allowed = self.parts[0].seconds if self.is_ready else START_SECONDS
        return time.monotonic() - self.since > allowed

    def end(self) -> None:
        """Kill the process; one that a dead network drive holds is left to the system."""
        self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_END_SECONDS)
        self.connection.close()


def parts_of(files: Iterable[FoundFile]) -> Iterator[Part]:
    """Divide files into parts that are small enough to be sent, and to be read again."""
    size = path_bytes = 0
    part: list[FoundFile] = []
    for found in files:
        part.append(found)
        size += max(0, found.identity.size)
        path_bytes += len(found.path)
        if len(part) >= PART_FILES or size >= PART_BYTES or path_bytes >= PART_PATH_BYTES:
            yield Part(part)
            size, path_bytes, part = 0, 0, []
    if part:
        yield Part(part)
