"""The folder for what clients store: where its files lie, and the steps that make one durable.

Names come from the hashes of UIDs, never from input. Hidden folders in it are no part of the archive: ``.incoming``
for what is being received, ``.trash`` for what was deleted, ``.quarantine`` for what contradicts an instance that is
there. The order in which a file becomes an instance is that of docs/decisions/0077.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from imageserver.archive.beneath import open_beneath
from imageserver.archive.files import DataDirectory, FoundFile, identity_of
from imageserver.errors import StoreFull, StoreUnavailable

INCOMING, TRASH, QUARANTINE = b".incoming", b".trash", b".quarantine"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
BUSY_SECONDS = 1.0  # after bytes came
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Disk:
    """The calls to the operating system that change the store; tests let one of them fail."""

    open = staticmethod(open_beneath)
    write = staticmethod(os.write)
    fsync = staticmethod(os.fsync)
    mkdir = staticmethod(os.mkdir)
    link = staticmethod(os.link)
    unlink = staticmethod(os.unlink)

    @staticmethod
    def free(descriptor: int) -> int:
        """Return how many bytes there is room for where an open file lies."""
        found = os.fstatvfs(descriptor)
        return found.f_bavail * found.f_frsize


class StoreFolder:
    """The folder of one server process.

    Parameters
    ----------
    path : Path
        Made where it does not exist.
    disk : Disk
    reserve : int
        Bytes of its disk that are never written to: the index and the audit often lie there too, and without them
        nobody could log in or read any more.
    """

    def __init__(self, path: Path, disk: Disk | None = None, reserve: int = 0) -> None:
        self.path = path
        self.reserve = reserve
        self.files = DataDirectory(path)
        self.disk = disk or Disk()
        self._own = secrets.token_hex(8).encode()
        self._lock = -1
        self._used = float("-inf")

    @property
    def incoming(self) -> bytes:
        """The folder of this process for what is being received."""
        return INCOMING + b"/" + self._own

    def open(self) -> bool:
        """Make the folders, and remove what processes that are no more were receiving.

        It may be called again at any time, and does nothing then; unless another folder lies here meanwhile, as after
        a disk was away.

        Returns
        -------
        bool
            Whether anything was to do.

        Raises
        ------
        StoreUnavailable, StoreFull
        """
        with store_errors():
            if self._is_open():
                return False
            self._unlock()
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._root() as root:
                for name in (INCOMING, TRASH, QUARANTINE):
                    self._make_folder(root, name)
                self._lock = self._take_own(root)
                _remove_abandoned(root)
                self.disk.fsync(root)
        return True

    def close(self) -> None:
        """Give the folder of this process back."""
        if self._lock < 0:
            return
        with contextlib.suppress(OSError), self._root() as root:
            _remove_folder(root, self.incoming)
        self._unlock()

    @property
    def is_bare(self) -> bool:
        """Whether there is nothing in it that could be an instance.

        Raises
        ------
        StoreUnavailable
        """
        with store_errors(), os.scandir(self.path) as entries:
            return all(entry.name.startswith(".") for entry in entries)

    def is_full(self) -> bool:
        """Tell whether there is no room for anything any more.

        Raises
        ------
        StoreUnavailable
        """
        with store_errors(), self._root() as root:
            return self.disk.free(root) <= self.reserve

    def is_busy(self) -> bool:
        """Tell whether something was received just now."""
        return time.monotonic() - self._used < BUSY_SECONDS

    def _is_open(self) -> bool:
        """Tell whether the folder of this process is still where it was made."""
        if self._lock < 0:
            return False
        with contextlib.suppress(FileNotFoundError), self._root() as root:
            found = open_beneath(root, self.incoming, _DIRECTORY)
            try:
                return os.path.samestat(os.fstat(found), os.fstat(self._lock))
            finally:
                os.close(found)
        return False

    def _unlock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
        self._lock = -1
        self._own = secrets.token_hex(8).encode()  # a disk that comes back has the former one

    def _take_own(self, root: int) -> int:
        """Make the folder of this process and lock it; one that starts at the same moment may take it for abandoned."""
        while True:
            self.disk.mkdir(self.incoming, 0o700, dir_fd=root)
            with contextlib.suppress(FileNotFoundError):
                lock = open_beneath(root, self.incoming, _DIRECTORY)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.fstat(lock).st_nlink > 0:
                        return lock
                except BlockingIOError:
                    pass
                os.close(lock)
            self._own = secrets.token_hex(8).encode()

    @contextmanager
    def new_file(self) -> Iterator[tuple[bytes, int]]:
        """Make a file to receive into; yields its path and descriptor. It is removed if the block fails."""
        path = self.incoming + b"/" + secrets.token_hex(16).encode()
        with self._root() as root:
            descriptor = self.disk.open(root, path, _NEW, 0o600)
        try:
            yield path, descriptor
        except BaseException:
            self.discard([path])
            raise
        finally:
            os.close(descriptor)

    def write(self, descriptor: int, data: bytes) -> None:
        """Write all of `data`, unless that would take of the reserve."""
        self._used = time.monotonic()
        view = memoryview(data)
        if self.disk.free(descriptor) - len(view) < self.reserve:
            raise OSError(errno.ENOSPC, "the rest of the disk is kept free")
        while view:
            view = view[self.disk.write(descriptor, view) :]

    @contextmanager
    def opened(self, path: bytes) -> Iterator[tuple[FoundFile, int]]:
        """Open a file; yields it with its identity, and its descriptor.

        Raises
        ------
        OSError
        """
        with self._root() as root:
            descriptor = open_beneath(root, path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield FoundFile(path, identity_of(os.fstat(descriptor))), descriptor
        finally:
            os.close(descriptor)

    def sync(self, descriptor: int) -> None:
        """Have the content of an open file on the disk."""
        self.disk.fsync(descriptor)

    def make_durable(self, path: bytes) -> None:
        """Have the content of a file on the disk."""
        with self.opened(path) as (_, descriptor):
            self.sync(descriptor)

    def found(self, path: bytes) -> FoundFile | None:
        """Return a file with its identity; None where there is none."""
        try:
            with self.opened(path) as (found, _):
                return found
        except FileNotFoundError:
            return None

    def read(self, path: bytes) -> Iterator[bytes]:
        """Yield the content of a file."""
        with self.opened(path) as (_, descriptor):
            while block := os.read(descriptor, 1 << 20):
                yield block

    def digest(self, path: bytes) -> str:
        """Return the SHA-256 of a file in hexadecimal."""
        digest = hashlib.sha256()
        for block in self.read(path):
            digest.update(block)
        return digest.hexdigest()

    def place(self, moves: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """Give files a second name, durably; a name that is taken is left as it is.

        Parameters
        ----------
        moves : iterable of (bytes, bytes)
            The path of each file and the new one.

        Returns
        -------
        list of bytes
            The new paths that were taken before.
        """
        taken: list[bytes] = []
        folders: set[bytes] = set()
        made: list[bytes] = []
        with self._root() as root:
            try:
                for source, target in moves:
                    folder = target.rpartition(b"/")[0]
                    if folder not in folders:
                        self._make_folder(root, folder)
                        folders.add(folder)
                    try:
                        self.disk.link(
                            source, target, src_dir_fd=root, dst_dir_fd=root, follow_symlinks=False
                        )
                        made.append(target)
                    except FileExistsError:
                        taken.append(target)
                self._sync_folders(root, folders)
            except BaseException:
                self.discard(made)
                raise
        return taken

    def discard(self, paths: Iterable[bytes]) -> None:
        """Remove names of files, as far as that goes: what remains is found by the next look or start."""
        with contextlib.suppress(OSError), self._root() as root:
            for path in paths:
                with contextlib.suppress(OSError):
                    self.disk.unlink(path, dir_fd=root)

    def names(self, folder: bytes) -> list[bytes]:
        """List the files of one of the hidden folders."""
        with self._root() as root:
            descriptor = open_beneath(root, folder, _DIRECTORY)
        try:
            return sorted(_names(descriptor))
        finally:
            os.close(descriptor)

    @contextmanager
    def _root(self) -> Iterator[int]:
        root = os.open(self.path, _DIRECTORY)
        try:
            yield root
        finally:
            os.close(root)

    def _make_folder(self, root: int, folder: bytes) -> None:
        """Make a folder and those above it, each durably."""
        parts = folder.split(b"/")
        for depth in range(1, len(parts) + 1):
            with contextlib.suppress(FileExistsError):
                self.disk.mkdir(b"/".join(parts[:depth]), 0o700, dir_fd=root)
                self._sync_folders(root, [b"/".join(parts[: depth - 1]) or b"."])

    def _sync_folders(self, root: int, folders: Iterable[bytes]) -> None:
        for folder in folders:
            descriptor = open_beneath(root, folder, _DIRECTORY)
            try:
                self.disk.fsync(descriptor)
            finally:
                os.close(descriptor)


def instance_path(series_instance_uid: str, sop_instance_uid: str) -> bytes:
    """Return where an instance lies in the store: together with its series, so that few folders are to be synced."""
    series = hashlib.sha256(series_instance_uid.encode()).hexdigest()[:32]
    instance = hashlib.sha256(sop_instance_uid.encode()).hexdigest()
    return f"{series[:2]}/{series}/{instance}.dcm".encode()


def quarantine_path(sop_instance_uid: str, sha256: str) -> bytes:
    """Return where a file is kept that contradicts an instance: the same for the same bytes."""
    instance = hashlib.sha256(sop_instance_uid.encode()).hexdigest()
    return QUARANTINE + f"/{instance[:32]}-{sha256[:32]}.dcm".encode()


@contextmanager
def store_errors() -> Iterator[None]:
    """Raise our own errors for a store that is full, gone or not writable."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise StoreFull("There is no room left in the store.") from error
        raise StoreUnavailable("The store cannot be written just now.") from error


def is_full(error: OSError) -> bool:
    """Tell whether an error says that there is no room."""
    return error.errno in _FULL


def _remove_abandoned(root: int) -> None:
    """Remove the folders of processes that are no more: nobody holds their locks."""
    incoming = open_beneath(root, INCOMING, _DIRECTORY)
    try:
        names = _names(incoming)
    finally:
        os.close(incoming)
    for name in names:
        with contextlib.suppress(OSError):
            folder = open_beneath(root, INCOMING + b"/" + name, _DIRECTORY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove_folder(root, INCOMING + b"/" + name)
            finally:
                os.close(folder)


def _names(folder: int) -> list[bytes]:
    with os.scandir(folder) as entries:
        return [os.fsencode(entry.name) for entry in entries]


def _remove_folder(root: int, folder: bytes) -> None:
    descriptor = open_beneath(root, folder, _DIRECTORY)
    try:
        for name in _names(descriptor):
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=descriptor)
    finally:
        os.close(descriptor)
    os.rmdir(folder, dir_fd=root)
