"""Pixel padding: pixels that stand for "nothing here", around a round field of view for example."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.native_pixels import mask_unused_bits
from imageserver.dicom.number_values import integer, number
from imageserver.dicom.reading import Header


@dataclass(frozen=True)
class Padding:
    """Stored values from `low` to `high` are padding."""

    low: float
    high: float

    def mask(self, stored_values: NDArray[Any]) -> NDArray[np.bool_]:
        """Return where the padding is; same shape as `stored_values`."""
        if self.low == self.high:
            return np.asarray(stored_values == self.low)
        return np.asarray((stored_values >= self.low) & (stored_values <= self.high))


def read_padding(header: Header) -> Padding | None:
    """Read Pixel Padding Value (0028,0120) and Range Limit (0028,0121) of a grey image, or their floating point kin.

    Returns
    -------
    Padding or None
        None for colour, and where the file tells none.
        As stored values are after their unused bits were masked: a value that was written with the wrong sign, or that
        needs more than Bits Stored, is brought there. Where the range turns around on the way, its first value alone.

    References
    ----------
    DICOM PS3.3 C.7.5.1.1.2, C.7.6.24
    """
    image = header.image
    if image is None or image.samples_per_pixel != 1:
        return None
    if image.is_float:
        return _read_float_padding(header, image)
    value = integer(header.dataset, "PixelPaddingValue", signed=image.is_signed)
    if value is None:
        return None
    limit = integer(header.dataset, "PixelPaddingRangeLimit", signed=image.is_signed)
    words = _as_words([value, value if limit is None else limit], image)
    first, last = mask_unused_bits(words, image).tolist()
    if (words[0] <= words[1]) != (first <= last):
        last = first  # masked, the range would cover what it left out
    return Padding(min(first, last), max(first, last))


def _read_float_padding(header: Header, image: ImagePixel) -> Padding | None:
    """Read (0028,0122) and (0028,0124) with Float Pixel Data, (0028,0123) and (0028,0125) with Double Float."""
    prefix = "Float" if image.bits_allocated == 32 else "DoubleFloat"
    value = number(header.dataset, f"{prefix}PixelPaddingValue")
    if value is None:
        return None
    limit = number(header.dataset, f"{prefix}PixelPaddingRangeLimit")
    last = value if limit is None else limit
    return Padding(min(value, last), max(value, last))


def _as_words(values: list[int], image: ImagePixel) -> NDArray[Any]:
    """Return values as pixels of this image hold them, whatever sign they were written with."""
    unsigned = f"u{image.stored_type.itemsize}"
    wrapped = [value & ((1 << (8 * image.stored_type.itemsize)) - 1) for value in values]
    return np.array(wrapped, unsigned).view(image.stored_type)


def without_padding(stored_values: NDArray[Any], padding: Padding | None) -> NDArray[Any]:
    """Return the values that are no padding; of any shape, for statistics."""
    return stored_values if padding is None else np.asarray(stored_values[~padding.mask(stored_values)])


def blacken_padding(
    display_values: NDArray[np.uint8], stored_values: NDArray[Any], padding: Padding | None
) -> NDArray[np.uint8]:
    """Draw padding black, also in MONOCHROME1, whose lowest value is white.

    Parameters
    ----------
    display_values : numpy.ndarray, shape (rows, columns) or (rows, columns, 3), uint8
        The picture, after polarity; left as it is.
    stored_values : numpy.ndarray, shape (rows, columns), any real type
        The values that it was made of.
    padding : Padding or None
        What to draw black.

    Returns
    -------
    numpy.ndarray, same shape, uint8

    References
    ----------
    DICOM PS3.3 C.7.5.1.1.2
    """
    if padding is None or not _may_hold(stored_values, padding):
        return display_values
    mask = padding.mask(stored_values).reshape(display_values.shape[:2] + (1,) * (display_values.ndim - 2))
    return display_values * ~mask  # several times as fast as choosing


def _may_hold(values: NDArray[Any], padding: Padding) -> bool:
    """Tell whether the type of the values can hold padding at all."""
    if values.dtype.kind == "f":
        return True
    limits = np.iinfo(values.dtype)
    return limits.min <= padding.low and padding.high <= limits.max
