"""Reading many files in batches, each of which the index takes in one transaction."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from imageserver.archive.files import UNREADABLE, DataDirectory, FoundFile
from imageserver.archive.listing import SKIPPED_IDENTITY
from imageserver.archive.progress import Progress
from imageserver.archive.reading import ReadFile, read_files
from imageserver.archive.reading_pool import ReadingPool

BATCH_FILES = 1000
BATCH_SECONDS = 2.0
BATCH_FRAMES = 20_000
BATCH_METADATA_BYTES = 32 * 1024 * 1024
MANY_FILES = 2000  # that take longer to read than reading processes to start


class Stopped(Exception):
    """The look was broken off, because the server stops; what was read so far is kept."""


class Batches:
    """Reads the headers of the files of one look.

    Parameters
    ----------
    directory : DataDirectory
    readers : int
        How many processes read at the same time, where there is much to read.
    progress : Progress
        Told how many files have been read.
    is_stopped : callable
        Asked between files; then the batch at hand is the last one.
    """

    def __init__(
        self, directory: DataDirectory, readers: int, progress: Progress, is_stopped: Callable[[], bool]
    ) -> None:
        self.directory = directory
        self.readers = readers
        self.progress = progress
        self.is_stopped = is_stopped

    def read(self, files: list[FoundFile]) -> Iterator[list[ReadFile]]:
        """Yield batches that are small enough for progress to be seen; the list is emptied meanwhile.

        Empty ones come as long as nothing can be read.

        Raises
        ------
        Stopped
            After the last batch, if the server stops.
        """
        batch: list[ReadFile] = []
        frames = size = 0
        started = time.monotonic()
        for answer in self._parts(files):
            self.progress.read += len(answer)
            batch += [_remembered(file) for file in answer if file is not None]
            frames += sum(len(file.instance.frames) for file in answer if file and file.instance)
            size += sum(_metadata_bytes(file) for file in answer if file)
            is_late = time.monotonic() - started > BATCH_SECONDS
            is_large = frames >= BATCH_FRAMES or size >= BATCH_METADATA_BYTES
            if len(batch) >= BATCH_FILES or is_large or is_late:
                yield batch
                batch, frames, size, started = [], 0, 0, time.monotonic()
        if batch:
            yield batch
        if self.is_stopped():
            raise Stopped

    def _parts(self, files: list[FoundFile]) -> Iterator[list[ReadFile | None]]:
        """Read a few files here, at once, and many in processes of their own."""
        if len(files) >= MANY_FILES:
            pool = ReadingPool(self.directory, self.readers)
            with contextlib.closing(pool.read(_drained(files), self.is_stopped)) as parts:
                yield from parts
            return
        for found in files:
            if self.is_stopped():
                return
            yield read_files(self.directory, [found])


def _metadata_bytes(file: ReadFile) -> int:
    return len(file.instance.metadata.content) if file.instance and file.instance.metadata else 0


def _drained(files: list[FoundFile]) -> Iterator[FoundFile]:
    files.reverse()
    while files:
        yield files.pop()


def _remembered(file: ReadFile) -> ReadFile:
    """Let a file that could not be opened be tried again: a change of rights leaves no trace in the identity."""
    return replace(file, identity=SKIPPED_IDENTITY) if file.code == UNREADABLE else file
