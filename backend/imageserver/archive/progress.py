"""How far one look at the data directory is: what it has still to read, and how long that may take."""

import time

_TOO_EARLY_SECONDS = 1.0


class Progress:
    """Counts the files of one look; the rate is that of the whole look so far.

    Parameters
    ----------
    files : int
        How many the look has to read.

    Attributes
    ----------
    read : int
        How many it has read, whatever became of them.
    """

    def __init__(self, files: int = 0) -> None:
        self.files = files
        self.read = 0
        self._started = time.monotonic()

    @property
    def pending(self) -> int:
        """Number of files that are still to be read."""
        return max(0, self.files - self.read)

    @property
    def remaining_seconds(self) -> float | None:
        """Estimate of the time that these take; None where nothing is left, or as long as nobody can know."""
        elapsed = time.monotonic() - self._started
        if not self.pending or not self.read or elapsed < _TOO_EARLY_SECONDS:
            return None
        return elapsed / self.read * self.pending
