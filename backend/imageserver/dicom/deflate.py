"""The deflated transfer syntaxes: inflating a data set, or a frame, without being blown up by it."""

import io
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
    inflated = io.BytesIO()  # gives its bytes away without a copy
    try:
        while not inflater.eof and (compressed := inflater.unconsumed_tail or stream.read(_READ_AT_ONCE)):
            inflated.write(inflater.decompress(compressed, min(_GROW_AT_ONCE, allowed - inflated.tell() + 1)))
            if inflated.tell() > allowed:
                raise FileRefused(
                    "too_large_inflated", f"The deflated data set grows beyond {allowed} bytes."
                )
    except zlib.error:
        raise FileRefused("bad_deflate", "The deflated data set is damaged.") from None
    if not inflater.eof:
        raise FileRefused("truncated", "The deflated data set is cut off.")
    return inflated.getvalue()


def inflate_frame(data: bytes, length: int) -> bytes:
    """Inflate one native frame.

    Parameters
    ----------
    data : bytes
        Deflated as RFC 1951 has it; the header of RFC 1950, which does not belong there, is stepped over.
    length : int
        Bytes of the frame; no more is inflated than that, and the pad byte.

    Returns
    -------
    bytes, as many as `length`

    Raises
    ------
    ValueError
        If the data is damaged, or the frame has another length.

    References
    ----------
    DICOM PS3.5 8.2.16, A.4.13
    """
    # A stream of RFC 1951 cannot begin like one of RFC 1950: that would be a stored block of a wrong length.
    has_header = len(data) > 2 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    inflater = zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)
    try:
        frame = inflater.decompress(data, length + length % 2 + 1)
    except zlib.error:
        raise ValueError("its deflated stream is damaged") from None
    if not inflater.eof and len(frame) <= length:
        raise ValueError("its deflated stream is cut off")
    if len(frame) not in (length, length + length % 2):
        raise ValueError(f"it inflates to another length than its {length} bytes")
    return frame[:length]
