"""What one look at the folder finds: files, and what is not read, with its reason."""

from collections.abc import Set
from typing import NamedTuple

from imageserver.archive.files import (
    STORE_ROOT,
    UNREADABLE,
    DataDirectory,
    FileIdentity,
    FoundFile,
    Skipped,
)
from imageserver.archive.reading import REFUSED, SKIPPED, ReadFile
from imageserver.errors import DataDirectoryUnavailable

# Of what could not be opened: a change of rights alone leaves no trace in the identity.
SKIPPED_IDENTITY = FileIdentity(-1, 0, 0)
SKIP_REASONS = {
    "symbolic_link": "Symbolic links are not followed.",
    "not_a_file": "Only regular files are read.",
    "unreadable": "The folder cannot be read.",
}


class Listing(NamedTuple):
    """What one look at the folder found."""

    files: dict[bytes, FileIdentity]
    skipped: dict[bytes, Skipped]
    missing: Set[bytes] = frozenset()  # the roots that cannot be listed

    def has_files(self, root: bytes) -> bool:
        """Whether a root holds any file."""
        return any(is_beneath(root, path) for path in self.files)

    def is_hidden(self, path: bytes) -> bool:
        """Tell whether a path lies in a folder that could not be listed, so that nothing is known about it."""
        folders = path.split(b"/")[:-1]
        above = (b"/".join(folders[: depth + 1]) for depth in range(len(folders)))
        return any(folder in self.skipped and self.skipped[folder].is_directory for folder in above)

    def is_gone(self, path: bytes) -> bool:
        """Tell whether there is nothing at a path any more."""
        return path not in self.files and path not in self.skipped and not self.is_hidden(path)


def list_directory(directory: DataDirectory) -> Listing:
    """Go through the whole data directory and the store."""
    missing: set[bytes] = set()
    listing = Listing({}, {}, missing)
    for root, folder in directory.roots():
        try:
            for found in folder.walk():
                path = root + found.path
                if isinstance(found, FoundFile):
                    listing.files[path] = found.identity
                else:
                    listing.skipped[path] = found._replace(path=path)
        except DataDirectoryUnavailable:
            missing.add(root)
    return listing


def is_beneath(root: bytes, path: bytes) -> bool:
    """Tell whether a path of the index belongs to a root."""
    return path.startswith(STORE_ROOT) == (root == STORE_ROOT)


def skipped_file(skipped: Skipped) -> ReadFile:
    """Return what the index keeps of something that is not read."""
    state = REFUSED if skipped.code == UNREADABLE else SKIPPED
    return ReadFile(skipped.path, SKIPPED_IDENTITY, state, skipped.code, SKIP_REASONS[skipped.code])
