"""Waiting for files that are still being copied: a file is read only when it stands still."""

import time
from collections.abc import Iterable

from imageserver.archive.files import FileIdentity, FoundFile

SETTLE_SECONDS = 1.0
_NANOSECONDS = 1_000_000_000


class Settling:
    """Remembers files that changed a moment ago.

    A file stands still when it was changed longer than a moment ago by the clock, or was the same in two looks that
    far apart. The second rule is for clocks that disagree, as on network drives.
    """

    def __init__(self, seconds: float = SETTLE_SECONDS) -> None:
        self.seconds = seconds
        self._first_seen: dict[bytes, tuple[FileIdentity, float]] = {}

    def settled(self, files: Iterable[FoundFile]) -> list[FoundFile]:
        """Return those of the new files that may be read now."""
        now, wall_ns = time.monotonic(), time.time_ns()
        former, self._first_seen = self._first_seen, {}
        found = []
        for file in files:
            path, identity = file
            is_old = self.is_old(identity, wall_ns)
            seen = former.get(path)
            first = seen[1] if seen is not None and seen[0] == identity else now
            if is_old or now - first >= self.seconds:
                found.append(file)
            else:
                self._first_seen[path] = (identity, first)
        return found

    def is_old(self, identity: FileIdentity, now_ns: int | None = None) -> bool:
        """Tell whether a file was changed longer than a moment ago by the clock."""
        age_ns = (time.time_ns() if now_ns is None else now_ns) - identity.mtime_ns
        return age_ns / _NANOSECONDS >= self.seconds
