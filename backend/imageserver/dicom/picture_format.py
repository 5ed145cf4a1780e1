"""The formats that a picture can be encoded as."""

import io
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imageserver.dicom.png import encode_png
from imageserver.errors import UndecodableFrame


class PictureFormat(StrEnum):
    """What a picture can be encoded as."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"

    @property
    def media_type(self) -> str:
        """The media type, for example ``image/png``."""
        return f"image/{self.value}"


# What the formats have room for: 16 bits less the last value in JPEG as libjpeg has it, 14 bits in WebP.
_LONGEST_SIDE = {PictureFormat.JPEG: 65500, PictureFormat.WEBP: 16383}


def encode(display_values: NDArray[np.uint8], picture_format: PictureFormat) -> bytes:
    """Encode a picture.

    Parameters
    ----------
    display_values : numpy.ndarray, shape (rows, columns) or (rows, columns, 3), uint8
        Left as they are.
    picture_format : PictureFormat
        PNG is exact; JPEG and WebP are lossy, for a quick look.

    Returns
    -------
    bytes

    Raises
    ------
    imageserver.errors.UndecodableFrame
        If the format has no room for the picture; PNG always has.
    """
    if picture_format is PictureFormat.PNG:
        return encode_png(display_values)
    if max(display_values.shape[:2]) > _LONGEST_SIDE[picture_format]:
        rows, columns = display_values.shape[:2]
        raise UndecodableFrame(
            f"A picture of {rows} x {columns} pixels is too large for {picture_format.value}; ask for png."
        )
    picture = Image.fromarray(np.ascontiguousarray(display_values))
    buffer = io.BytesIO()
    if picture_format is PictureFormat.JPEG:
        picture.save(buffer, "JPEG", quality=90, subsampling=0)
    else:
        picture.save(buffer, "WEBP", quality=85, method=2)
    return buffer.getvalue()
