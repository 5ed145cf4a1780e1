"""Small pictures out of large ones."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_GAP = 2  # whole blocks of pixels are averaged to about twice the size first: as good, and many times faster
_STRIP_PIXELS = 1 << 20  # as Pillow copies what it works on, a large picture is given to it in strips


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
    block = max(1, columns // (_GAP * size[0])), max(1, rows // (_GAP * size[1]))
    reduced = Image.fromarray(_average_blocks(display_values, *block))
    whole = 0.0, 0.0, columns / block[0], rows / block[1]  # the last block may be a part of one
    return np.asarray(reduced.resize(size, Image.Resampling.LANCZOS, box=whole))


def _average_blocks(display_values: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Average blocks of so many pixels; at the edges what there is of them."""
    rows, columns = display_values.shape[:2]
    step = height * max(1, _STRIP_PIXELS // (columns * height))
    strips = (np.ascontiguousarray(display_values[row : row + step]) for row in range(0, rows, step))
    return np.concatenate([np.asarray(Image.fromarray(strip).reduce((width, height))) for strip in strips])
