"""The files of the data directory: the only place that opens one.

Addresses are paths relative to the data directory, as bytes, because a file name need not be text. They come from the
walk and from the index, never from a client. Symbolic links are not followed, and only regular files are read.

Beside the data directory, which is only read, there may be a store: the folder for what clients sent. Its paths carry
a prefix that no path of the data directory can have, so that the rest of the archive need not tell the two apart.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from imageserver.archive.beneath import open_beneath
from imageserver.archive.folders import (
    DIRECTORY_FLAGS,
    NOT_A_FILE,
    SYMBOLIC_LINK,
    UNREADABLE,
    FoundFile,
    Skipped,
    is_ignored,
    list_folder,
)
from imageserver.archive.opened_files import (
    FileIdentity,
    announce,
    compare,
    identity_of,
    read_part,
    unavailable,
)
from imageserver.errors import DataDirectoryUnavailable, FileGone, FileReplaced, Gone

__all__ = [
    "NOT_A_FILE",
    "SYMBOLIC_LINK",
    "UNREADABLE",
    "DataDirectory",
    "FileIdentity",
    "FoundFile",
    "Skipped",
    "identity_of",
    "is_ignored",
]

_FILE_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY  # a FIFO must not block
_TOGETHER = 16  # files that are open at the same time to be announced
_ANNOUNCED_BYTES = 64 * 1024 * 1024  # of one answer: memory of the system, which others want too
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EXDEV)

DATA_ROOT = b""
STORE_ROOT = b"/store/"  # the walk never yields a path that begins with a slash


class DataDirectory:
    """The folder with the DICOM files, and the store beside it, if there is one.

    Attributes
    ----------
    path : Path
    store : DataDirectory or None
        The folder for what clients sent, as a directory of its own.
    """

    def __init__(self, path: Path, store: Path | None = None) -> None:
        self.path = path
        self.store = None if store is None else DataDirectory(store)

    def roots(self) -> Iterator[tuple[bytes, "DataDirectory"]]:
        """Yield both folders, each with the prefix of its paths."""
        yield DATA_ROOT, self
        if self.store is not None:
            yield STORE_ROOT, self.store

    def walk(self) -> Iterator[FoundFile | Skipped]:
        """Yield everything beneath the directory, folders that cannot be listed included, in no certain order.

        Hidden names and the droppings of systems and copying programs are left out, and so is the store, which has a
        walk of its own.

        Raises
        ------
        DataDirectoryUnavailable
            If the directory itself is missing or cannot be listed.
        """
        with self._root() as root:
            folders = [b""]
            while folders:
                folder = folders.pop()
                try:
                    entries = list_folder(root, folder)
                except OSError as error:
                    if not folder:
                        raise unavailable(error) from error
                    if error.errno not in _GONE:
                        yield Skipped(folder, UNREADABLE, is_directory=True)
                    continue
                for found in entries:
                    if isinstance(found, bytes):
                        folders.append(found)
                    else:
                        yield found

    @contextmanager
    def _opened(self, path: bytes) -> Iterator[int]:
        descriptor = self._descriptor(path)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _descriptor(self, path: bytes) -> int:
        """Open a file; the caller closes it."""
        with self._opening() as open_file:
            return open_file(path)

    @contextmanager
    def _opening(self) -> Iterator[Callable[[bytes], int]]:
        """Open files one after the other, as `_descriptor`; the folder that they are in is opened once for all."""
        roots: dict[bytes, int] = {}

        def open_file(path: bytes) -> int:
            prefix = STORE_ROOT if path.startswith(STORE_ROOT) else DATA_ROOT
            directory = self.store if prefix else self
            if directory is None:
                raise DataDirectoryUnavailable("The store is not configured any more.")
            if prefix not in roots:
                roots[prefix] = directory._open_root()
            return directory._open_in(roots[prefix], path.removeprefix(prefix))

        try:
            yield open_file
        finally:
            for root in roots.values():
                os.close(root)

    def _open_in(self, root: int, path: bytes) -> int:
        try:
            return _open_file(root, path)
        except FileGone:
            if self.is_empty():  # an unmounted folder, rather than one removed file
                raise DataDirectoryUnavailable("The data directory is empty.") from None
            raise

    @contextmanager
    def open(self, path: bytes, expected: FileIdentity) -> Iterator[BinaryIO]:
        """Open a file that has been indexed.

        The identity is compared when the file is opened and again at the end of the block, so that what was read is
        wholly the indexed file. An error in the block counts only if the file stood still.

        Raises
        ------
        FileGone
            If it was removed.
        FileReplaced
            If its size, time of change or inode differ from what is expected.
        DataDirectoryUnavailable
            If it cannot be read.
        """
        with self._opened(path) as descriptor, os.fdopen(descriptor, "rb", closefd=False) as stream:
            compare(descriptor, expected)
            try:
                yield stream
            except OSError as error:
                raise unavailable(error) from error
            finally:
                compare(descriptor, expected)

    def read(self, path: bytes, expected: FileIdentity, start: int, length: int) -> bytes:
        """Read a part of a file that has been indexed, up to its end; raises as `open` does."""
        with self._opened(path) as descriptor:
            return read_part(descriptor, expected, start, length)

    def read_starts(self, files: Iterable[tuple[bytes, FileIdentity]], length: int) -> Iterator[bytes | Gone]:
        """Read the first bytes of files that will be read whole soon, or say why one cannot be.

        A few files at a time are opened and announced to the system before any is read, so that those that are on a
        disk only come from it side by side.

        Raises
        ------
        DataDirectoryUnavailable
            As `open`.
        """
        announced, waiting = 0, iter(files)
        while together := list(islice(waiting, _TOGETHER)):
            opened: list[int | Gone] = []
            try:
                with self._opening() as open_file:
                    opened += (_opened_or_gone(open_file, path) for path, _ in together)
                for descriptor, (_, expected) in zip(opened, together, strict=True):
                    if isinstance(descriptor, int) and announced < _ANNOUNCED_BYTES:
                        announce(descriptor, expected.size)
                        announced += expected.size
                starts = [_start(one, file[1], length) for one, file in zip(opened, together, strict=True)]
            finally:
                for descriptor in opened:
                    if isinstance(descriptor, int):
                        os.close(descriptor)
            yield from starts

    def read_files(self, files: Iterable[tuple[bytes, FileIdentity]]) -> list[bytes | Exception]:
        """Read files whole that are small together; for one that cannot be read there is what `read` would raise."""
        with self._opening() as open_file:
            return [_whole(open_file, path, expected) for path, expected in files]

    def check(self, path: bytes, expected: FileIdentity) -> None:
        """Make sure that an indexed file is still there and unchanged; raises as `open` does."""
        descriptor = self._descriptor(path)
        try:
            compare(descriptor, expected)
        finally:
            os.close(descriptor)

    def is_readable(self, path: bytes) -> bool:
        """Tell whether a regular file can be opened at this path just now."""
        try:
            with self._opened(path):
                pass
        except (FileGone, FileReplaced, DataDirectoryUnavailable):
            return False
        return True

    def is_listable(self) -> bool:
        """Tell whether the directory itself is there and may be listed."""
        try:
            with self._root() as root, os.scandir(root):
                return True
        except (OSError, DataDirectoryUnavailable):
            return False

    def is_empty(self) -> bool:
        """Tell whether there is nothing to index beneath the directory; raises as `walk` does."""
        return next(self.walk(), None) is None

    def _open_root(self) -> int:
        try:
            return os.open(self.path, DIRECTORY_FLAGS)
        except OSError as error:
            raise unavailable(error) from error

    @contextmanager
    def _root(self) -> Iterator[int]:
        root = self._open_root()
        try:
            yield root
        finally:
            os.close(root)


def _open_file(root: int, path: bytes) -> int:
    try:
        descriptor = open_beneath(root, path, _FILE_FLAGS)
    except OSError as error:
        if error.errno in _GONE:
            raise FileGone("The file of this instance is not in the data directory any more.") from error
        if error.errno == errno.ENXIO:  # a socket took its place
            raise FileReplaced("The file of this instance was replaced.") from error
        raise unavailable(error) from error
    return descriptor


def _opened_or_gone(open_file: Callable[[bytes], int], path: bytes) -> int | Gone:
    try:
        return open_file(path)
    except Gone as error:
        return error


def _whole(open_file: Callable[[bytes], int], path: bytes, expected: FileIdentity) -> bytes | Exception:
    try:
        descriptor = open_file(path)
        try:
            return read_part(descriptor, expected, 0, expected.size)
        finally:
            os.close(descriptor)
    except Exception as error:
        return error


def _start(opened: int | Gone, expected: FileIdentity, length: int) -> bytes | Gone:
    if isinstance(opened, Gone):
        return opened
    try:
        return read_part(opened, expected, 0, length)
    except FileReplaced as error:
        return error
