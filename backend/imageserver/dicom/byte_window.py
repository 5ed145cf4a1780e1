"""A part of a file in memory, which moves on as the file is read."""

from typing import BinaryIO

FIRST_BYTES = 1 << 15  # nearly every header of a slice fits
MOST_BYTES = 1 << 20


class ByteWindow:
    """The bytes of a file from one place on. Reading one by one takes longer than all else that is done with them.

    Parameters
    ----------
    stream : binary file object, seekable
    end : int
        Where the file ends.

    Attributes
    ----------
    data : bytes
        What is in memory.
    start : int
        Where that stands in the file.
    """

    def __init__(self, stream: BinaryIO, end: int) -> None:
        self.stream = stream
        self.end = end
        self.data = b""
        self.start = 0
        self._size = FIRST_BYTES

    def move_to(self, at: int) -> None:
        """Read anew from `at` on; each time more, since a long header is to come."""
        self.stream.seek(at)
        self.data = self.stream.read(self._size)
        self.start = at
        self._size = min(2 * self._size, MOST_BYTES)

    def place_of(self, at: int, length: int) -> int:
        """Return where the byte `at` is in `data`, with `length` bytes from there on unless the file ends before."""
        place = at - self.start
        if place < 0 or (place + length > len(self.data) and self.start + len(self.data) < self.end):
            self.move_to(at)
            return 0
        return place

    def read(self, at: int, length: int) -> bytes:
        """Return bytes, from memory where they are there; the window stays where it is."""
        place = at - self.start
        if place >= 0 and place + length <= len(self.data):
            return self.data[place : place + length]
        self.stream.seek(at)
        return self.stream.read(length)
