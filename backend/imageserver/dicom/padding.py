"""Pixel padding: pixels that stand for "nothing here", around a round field of view for example."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.reading import Header
from imageserver.dicom.values import integer


@dataclass(frozen=True)
class Padding:
    """Stored values from `low` to `high` are padding."""

    low: int
    high: int

    def mask(self, stored_values: NDArray[Any]) -> NDArray[np.bool_]:
        """Return where the padding is; same shape as `stored_values`."""
        if self.low == self.high:
            return np.asarray(stored_values == self.low)
        return np.asarray((stored_values >= self.low) & (stored_values <= self.high))


def read_padding(header: Header) -> Padding | None:
    """Read Pixel Padding Value (0028,0120) and Range Limit (0028,0121) of a grey image.

    Returns
    -------
    Padding or None
        In the range of the stored values: a value that was written with the wrong sign is brought there.

    References
    ----------
    DICOM PS3.3 C.7.5.1.1.2
    """
    image = header.image
    if image is None or image.samples_per_pixel != 1 or image.is_float:
        return None
    value = integer(header.dataset, "PixelPaddingValue", signed=image.is_signed)
    if value is None:
        return None
    limit = integer(header.dataset, "PixelPaddingRangeLimit", signed=image.is_signed)
    ends = sorted(_in_range(end, image) for end in (value, value if limit is None else limit))
    return Padding(ends[0], ends[1])


def _in_range(value: int, image: ImagePixel) -> int:
    wrapped = value & ((1 << image.bits_allocated) - 1)
    if image.is_signed and wrapped >> (image.bits_allocated - 1):
        return wrapped - (1 << image.bits_allocated)
    return wrapped
