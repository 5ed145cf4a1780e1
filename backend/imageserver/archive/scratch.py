"""A folder for what can be made again: files under a digest of what they were made from, the oldest given up first.

Several processes may use it at the same time: a file appears whole under its name or not at all, each is made by one
process at a time, and who has one open keeps it when it is removed.
"""

import contextlib
import errno
import fcntl
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from imageserver.errors import StorageFull

_WHOLE, _PART = ".volume", ".part"
_FREE_BYTES = 256 * 1024 * 1024  # the database may lie on the same disk
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MESSAGE = "There is no room in the state directory for a volume to cut planes from."

logger = logging.getLogger(__name__)


class Scratch:
    """Files by digest, no more than `most_bytes` of them.

    Parameters
    ----------
    folder : pathlib.Path
        Made when it is needed; nothing else may be in it.
    most_bytes : int
        Of all files together.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self.most_bytes = most_bytes
        self._made: set[Path] = set()

    def find(self, digest: str) -> Path | None:
        """Return a file that was made, and count it as used just now."""
        path = self._path(digest, _WHOLE)
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def has(self, digest: str) -> bool:
        """Tell whether a file is there, which does not count as using it."""
        return self._path(digest, _WHOLE).exists()

    def written_bytes(self, digest: str) -> int:
        """Return how much of a file is there that is being made, by whichever process."""
        try:
            return self._path(digest, _PART).stat().st_size
        except OSError:
            return 0

    @contextmanager
    def make(self, digest: str, size: int) -> Iterator[BinaryIO | None]:
        """Open a file to be made; it gets its name at the end of the block, unless an error leaves it.

        Yields
        ------
        binary file object or None
            None where another process is making it.

        Raises
        ------
        StorageFull
            If there is no room, at once or while it is written.
        """
        part = self._path(digest, _PART)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w+b") as stream:
                # Between opening and locking, another process may have given the file its name, or removed it.
                if not (_lock(stream) and _is_at(part, stream)):
                    yield None
                    return
                stream.truncate(0)
                try:
                    self._make_room(size, part)
                    yield stream
                    stream.flush()
                    part.replace(self._path(digest, _WHOLE))
                    self._made.add(self._path(digest, _WHOLE))
                except BaseException:
                    part.unlink(missing_ok=True)
                    raise
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull(_MESSAGE) from error
            raise

    def clear(self) -> None:
        """Remove what former processes left."""
        for path in self._files():
            if path.suffix == _PART and _is_locked(path):
                continue
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove what this process made."""
        for path in self._made:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _make_room(self, size: int, part: Path) -> None:
        """Remove the files that were used the longest time ago until there is room for one more."""
        kept = sorted(_ages(path for path in self._files() if path != part))
        free = shutil.disk_usage(self._folder).free - _FREE_BYTES
        used = sum(file_size for _, file_size, _ in kept)
        for _, file_size, path in kept:
            if used + size <= self.most_bytes and size <= free:
                break
            if path.suffix == _WHOLE:
                path.unlink(missing_ok=True)
                used, free = used - file_size, free + file_size
        if used + size > self.most_bytes or size > free:
            raise StorageFull(_MESSAGE)

    def _files(self) -> list[Path]:
        try:
            return [path for path in self._folder.iterdir() if path.suffix in (_WHOLE, _PART)]
        except FileNotFoundError:
            return []

    def _path(self, digest: str, ending: str) -> Path:
        return self._folder / f"{digest}{ending}"


def _ages(paths: Iterator[Path]) -> Iterator[tuple[float, int, Path]]:
    for path in paths:
        with contextlib.suppress(OSError):  # removed meanwhile
            status = path.stat()
            yield status.st_mtime, status.st_size, path


def _lock(stream: BinaryIO) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(path: Path, stream: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def _is_locked(path: Path) -> bool:
    try:
        with path.open("r+b") as stream:
            return not _lock(stream)
    except OSError:
        return False
