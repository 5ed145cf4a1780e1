"""What lies in a folder: files, folders, and what is left out."""

import os
import stat
from typing import NamedTuple

from imageserver.archive.beneath import open_beneath
from imageserver.archive.opened_files import FileIdentity, identity_of

DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC

# What systems and copying programs drop beside files; nobody meant it to be an image.
IGNORED_NAMES = frozenset(
    {b"thumbs.db", b"desktop.ini", b"__macosx", b"@eadir", b"lost+found", b"$recycle.bin"}
)
IGNORED_ENDINGS = (b"~", b".part", b".partial", b".filepart", b".crdownload")

UNREADABLE = "unreadable"
SYMBOLIC_LINK = "symbolic_link"
NOT_A_FILE = "not_a_file"


class FoundFile(NamedTuple):
    """A regular file."""

    path: bytes
    identity: FileIdentity


class Skipped(NamedTuple):
    """Something that is not read, and why."""

    path: bytes
    code: str
    is_directory: bool = False


def is_ignored(name: bytes) -> bool:
    """Tell whether a name is hidden, or known as a dropping."""
    lower = name.lower()
    return lower.startswith(b".") or lower in IGNORED_NAMES or lower.endswith(IGNORED_ENDINGS)


def list_folder(root: int, folder: bytes) -> list[FoundFile | Skipped | bytes]:
    """Return files, what is skipped, and as bytes the folders below."""
    descriptor = open_beneath(root, folder or b".", DIRECTORY_FLAGS)
    try:
        with os.scandir(descriptor) as entries:
            names = [(os.fsencode(entry.name), entry) for entry in entries]
            found = [_describe(folder, name, entry) for name, entry in names if not is_ignored(name)]
    finally:
        os.close(descriptor)
    return [item for item in found if item is not None]


def _describe(folder: bytes, name: bytes, entry: os.DirEntry[str]) -> FoundFile | Skipped | bytes | None:
    path = folder + b"/" + name if folder else name
    if entry.is_dir(follow_symlinks=False):
        return path
    if entry.is_symlink():
        return Skipped(path, SYMBOLIC_LINK)
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return None  # removed meanwhile
    if not stat.S_ISREG(status.st_mode):
        return Skipped(path, NOT_A_FILE)
    return FoundFile(path, identity_of(status))
