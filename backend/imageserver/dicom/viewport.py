"""Pictures brought to the size of a viewport: crop, flip, scale (PS3.18 8.3.5.1.3)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imageserver.errors import InvalidParameter

LONGEST_SIDE = 4096
_GAP = 2.0  # whole blocks are averaged to about twice the size first: as good, and many times faster


class Viewport(NamedTuple):
    """A viewport, and the region of the source image that is shown in it.

    Attributes
    ----------
    width, height : int
        Of the viewport in pixels.
    left, top : float
        Where the region begins, in pixels of the source image.
    region_width, region_height : float or None
        Its size; None: to the right and to the bottom edge of the image.
    is_flipped_horizontally, is_flipped_vertically : bool
    may_enlarge : bool
        Whether a region that is smaller than the viewport is made larger, as the standard has it.
    """

    width: int
    height: int
    left: float = 0.0
    top: float = 0.0
    region_width: float | None = None
    region_height: float | None = None
    is_flipped_horizontally: bool = False
    is_flipped_vertically: bool = False
    may_enlarge: bool = True


def show_in_viewport(
    display_values: NDArray[np.uint8], viewport: Viewport, pixel_aspect_ratio: float = 1.0
) -> NDArray[np.uint8]:
    """Crop to the region, flip it, and scale it until it is as wide or as high as the viewport.

    Parameters
    ----------
    display_values : numpy.ndarray, shape (rows, columns) or (rows, columns, 3), uint8
        Left as they are.
    viewport : Viewport
        What is wanted.
    pixel_aspect_ratio : float
        Height of a pixel divided by its width; the pixels of the result are square.

    Returns
    -------
    numpy.ndarray, shape (height, width) or (height, width, 3), uint8
        At most as large as the viewport, and as large in one direction. Neither side is less than one pixel.

    Raises
    ------
    imageserver.errors.InvalidParameter
        If the region is not within the image.

    References
    ----------
    DICOM PS3.18 8.3.5.1.3
    """
    rows, columns = display_values.shape[:2]
    width = columns - viewport.left if viewport.region_width is None else viewport.region_width
    height = rows - viewport.top if viewport.region_height is None else viewport.region_height
    right, bottom = viewport.left + width, viewport.top + height
    if width <= 0 or height <= 0 or right > columns or bottom > rows:
        raise InvalidParameter(
            f"Not acceptable: viewport. Its region must lie within the image of {columns} x {rows} pixels."
        )
    # Only what is shown is copied; the region may begin and end within a pixel.
    first_row, first_column = int(viewport.top), int(viewport.left)
    part = display_values[first_row : int(np.ceil(bottom)), first_column : int(np.ceil(right))]
    box = viewport.left - first_column, viewport.top - first_row, right - first_column, bottom - first_row
    size = _size(viewport, width, height * pixel_aspect_ratio)
    scaled = _scale(part, box, size)
    scaled = scaled[:, ::-1] if viewport.is_flipped_horizontally else scaled
    return scaled[::-1] if viewport.is_flipped_vertically else scaled


def _size(viewport: Viewport, width: float, height: float) -> tuple[int, int]:
    """Return width and height of the result for a region of this shape."""
    scale = min(viewport.width / width, viewport.height / height)
    if not viewport.may_enlarge:
        scale = min(scale, 1.0)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _scale(
    part: NDArray[np.uint8], box: tuple[float, float, float, float], size: tuple[int, int]
) -> NDArray[np.uint8]:
    rows, columns = part.shape[:2]
    if box == (0, 0, *size) and size == (columns, rows):
        return part
    is_smaller = size[0] < box[2] - box[0] or size[1] < box[3] - box[1]
    filter_ = Image.Resampling.LANCZOS if is_smaller else Image.Resampling.BICUBIC
    picture = Image.fromarray(np.ascontiguousarray(part))
    return np.asarray(picture.resize(size, filter_, box=box, reducing_gap=_GAP))
