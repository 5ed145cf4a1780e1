"""Files that are open: that they are the ones that were indexed, and reading them."""

import errno
import os
import stat
from contextlib import suppress
from typing import NamedTuple

from imageserver.errors import DataDirectoryUnavailable, FileReplaced


class FileIdentity(NamedTuple):
    """By what a changed or replaced file is told from the one that was indexed."""

    size: int
    mtime_ns: int
    inode: int


def identity_of(status: os.stat_result) -> FileIdentity:
    """Return by what a file is known again."""
    inode = (status.st_ino + 2**63) % 2**64 - 2**63  # unsigned; the index keeps it in a signed column
    return FileIdentity(status.st_size, status.st_mtime_ns, inode)


def compare(descriptor: int, expected: FileIdentity) -> None:
    """Make sure that an open file is the one that was indexed.

    Raises
    ------
    FileReplaced
        If its size, time of change or inode differ from what is expected.
    """
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or identity_of(status) != expected:
        raise FileReplaced(
            "The file of this instance has changed since it was indexed; it is being read again."
        )


def read_part(descriptor: int, expected: FileIdentity, start: int, length: int) -> bytes:
    """Read a part of a file, up to its end; an error counts only if the file stood still meanwhile.

    Raises
    ------
    FileReplaced
        As `compare`, before or after.
    DataDirectoryUnavailable
        If it cannot be read.
    """
    compare(descriptor, expected)
    try:
        return _read_at(descriptor, start, min(length, max(0, expected.size - start)))
    except OSError as error:
        raise unavailable(error) from error
    finally:
        compare(descriptor, expected)


def _read_at(descriptor: int, start: int, length: int) -> bytes:
    parts = [os.pread(descriptor, length, start)]
    while parts[-1] and (missing := length - sum(map(len, parts))):  # a network disk may give less at once
        parts.append(os.pread(descriptor, missing, start + length - missing))
    return parts[0] if len(parts) == 1 else b"".join(parts)


def announce(descriptor: int, length: int) -> None:
    """Have the system fetch a file that will be read; it is no more than a hint, and not every system takes it."""
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(descriptor, 0, length, os.POSIX_FADV_WILLNEED)


def unavailable(error: OSError) -> DataDirectoryUnavailable:
    """Tell what went wrong, without the path."""
    reason = errno.errorcode.get(error.errno or 0, "EIO")
    return DataDirectoryUnavailable(f"The data directory cannot be read ({reason}).")
