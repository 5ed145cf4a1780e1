"""The deflated transfer syntax: inflating a data set without being blown up by it."""

import zlib
from typing import BinaryIO

from imageserver.dicom.limits import FileRefused

_READ_AT_ONCE = 1 << 16
_GROW_AT_ONCE = 1 << 22


def inflate(stream: BinaryIO, start: int, allowed: int) -> bytes:
    """Inflate a data set, stopping before it grows beyond what its size can honestly hold.

    Parameters
    ----------
    stream : binary file object, seekable
        The file.
    start : int
        Where the deflated data set begins; it runs to the end.
    allowed : int
        Bytes that it may grow to.

    Returns
    -------
    bytes

    Raises
    ------
    FileRefused
        ``too_large_inflated``, ``bad_deflate`` or ``truncated``.

    References
    ----------
    DICOM PS3.5 A.5
    """
    stream.seek(start)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    chunks, total = [], 0
    try:
        while not inflater.eof and (compressed := inflater.unconsumed_tail or stream.read(_READ_AT_ONCE)):
            chunk = inflater.decompress(compressed, min(_GROW_AT_ONCE, allowed - total + 1))
            chunks.append(chunk)
            total += len(chunk)
            if total > allowed:
                raise FileRefused(
                    "too_large_inflated", f"The deflated data set grows beyond {allowed} bytes."
                )
    except zlib.error:
        raise FileRefused("bad_deflate", "The deflated data set is damaged.") from None
    if not inflater.eof:
        raise FileRefused("truncated", "The deflated data set is cut off.")
    return b"".join(chunks)
