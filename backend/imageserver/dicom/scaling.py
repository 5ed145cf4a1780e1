"""Small pictures out of large ones."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_REDUCING_GAP = 2.0  # whole pixels are averaged down to twice the size first: as good, and many times faster


def scale_down(
    display_values: NDArray[np.uint8], longest_side: int, pixel_aspect_ratio: float = 1.0
) -> NDArray[np.uint8]:
    """Make a picture small, with square pixels.

    Parameters
    ----------
    display_values : numpy.ndarray, shape (rows, columns) or (rows, columns, 3), uint8
        Left as they are.
    longest_side : int
        In pixels. A smaller picture is not made larger, but its pixels become square.
    pixel_aspect_ratio : float
        Height of a pixel divided by its width.

    Returns
    -------
    numpy.ndarray, shape (height, width) or (height, width, 3), uint8
        Neither side is less than one pixel.
    """
    rows, columns = display_values.shape[:2]
    height, width = float(rows), float(columns)
    if pixel_aspect_ratio >= 1:
        height *= pixel_aspect_ratio
    else:
        width /= pixel_aspect_ratio
    scale = min(1.0, longest_side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (columns, rows):
        return display_values
    picture = Image.fromarray(np.ascontiguousarray(display_values))
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP))
