"""What the structure of one data set may still ask for: elements, items, time."""

import time

from imageserver.dicom.limits import MEBIBYTE, FileRefused, Limits

_CHECK_EVERY = 4096


class Budget:
    """Counts down while a data set is walked over.

    Parameters
    ----------
    limits : Limits
    size : int
        Bytes of the file; an object has no more frames than that.

    Attributes
    ----------
    frames : int
        How many the data set says it has; 1 before it says so.
    """

    def __init__(self, limits: Limits, size: int) -> None:
        self.limits = limits
        self.frames = 1
        self._size = size
        self._elements_left = limits.elements
        self._items_left = limits.items
        self._private_left = limits.private_bytes
        self._bytes_left = limits.loaded_bytes
        self._deadline = time.monotonic() + limits.seconds

    def allow_frames(self, frames: int) -> None:
        """Widen the limits for an object of so many frames; each takes at least one byte of the file.

        An object says it once: what it says again widens nothing.
        """
        if self.frames > 1:
            return
        limits = self.limits
        self.frames = max(1, min(frames, self._size, limits.frames))
        more = max(0, min(limits.elements_per_frame * self.frames, limits.most_elements - limits.elements))
        self._elements_left += more
        more = max(0, min(limits.items_per_frame * self.frames, limits.most_items - limits.items))
        self._items_left += more

    def take_element(self) -> None:
        """Count one element.

        Raises
        ------
        FileRefused
            ``too_many_elements`` or ``too_slow``.
        """
        self._elements_left -= 1
        if self._elements_left < 0:
            raise FileRefused("too_many_elements", "The data set has more elements than any real object.")
        if self._elements_left % _CHECK_EVERY == 0:
            self._check_time()

    def elements_at_once(self) -> int:
        """Return how many elements may be taken before the next check, for `take_elements`."""
        self._check_time()
        return min(self._elements_left, _CHECK_EVERY)

    def take_elements(self, count: int) -> None:
        """Count elements that `elements_at_once` allowed."""
        self._elements_left -= count

    def take_item(self) -> None:
        """Count one item of a sequence.

        Raises
        ------
        FileRefused
            ``too_many_elements``.
        """
        self._items_left -= 1
        if self._items_left < 0:
            raise FileRefused(
                "too_many_elements", "The data set has more sequence items than any real object."
            )

    def take_private_value(self, length: int) -> bool:
        """Tell whether a private value may be loaded, and count its bytes if so."""
        may = length <= min(self.limits.private_value_length, self._private_left)
        self._private_left -= length if may else 0
        return may

    def take_bytes(self, length: int) -> None:
        """Count the bytes of a value that is to be loaded.

        Raises
        ------
        FileRefused
            ``value_too_long``.
        """
        self._bytes_left -= length
        if self._bytes_left < 0:
            most = self.limits.loaded_bytes // MEBIBYTE
            raise FileRefused(
                "value_too_long", f"The values beside the pixel data have more than {most} MiB."
            )

    def check_fragments(self, count: int) -> None:
        """Refuse more fragments of pixel data than so many frames can have."""
        if count > self.limits.fragments + 2 * self.frames:
            raise FileRefused("too_many_elements", "The pixel data has more fragments than any real object.")

    def _check_time(self) -> None:
        if time.monotonic() > self._deadline:
            raise FileRefused("too_slow", "Reading the data set takes too long.")
