"""The media types of rendered pictures (PS3.18 8.7.4), with quality and colour profile."""

import io
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imageserver.dicom.picture_format import PictureFormat, encode
from imageserver.errors import UndecodableFrame

DEFAULT_QUALITY = 90  # as `/slice` has it
_LONGEST_SIDE = {"image/jpeg": 65500, "image/webp": 16383, "image/gif": 65535}


class RenderedFormat(StrEnum):
    """What a rendered picture can be encoded as; the standard asks for the first three."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    GIF = "image/gif"
    WEBP = "image/webp"

    @property
    def may_carry_profile(self) -> bool:
        """Whether a colour profile can be embedded."""
        return self is not RenderedFormat.GIF


def encode_rendered(
    display_values: NDArray[np.uint8],
    rendered_format: RenderedFormat,
    quality: int = DEFAULT_QUALITY,
    profile: bytes | None = None,
) -> bytes:
    """Encode a rendered picture.

    Parameters
    ----------
    display_values : numpy.ndarray, shape (rows, columns) or (rows, columns, 3), uint8
        Left as they are.
    rendered_format : RenderedFormat
        PNG is exact, GIF is for grey pictures; the others are lossy.
    quality : int
        1 to 100, of the lossy ones.
    profile : bytes or None
        ICC profile to embed.

    Returns
    -------
    bytes

    Raises
    ------
    imageserver.errors.UndecodableFrame
        If the format has no room for the picture; PNG always has.

    References
    ----------
    DICOM PS3.18 8.3.5.1.2, 8.7.4
    """
    if rendered_format is RenderedFormat.PNG and profile is None:
        return encode(display_values, PictureFormat.PNG)
    rows, columns = display_values.shape[:2]
    if max(rows, columns) > _LONGEST_SIDE.get(rendered_format, rows + columns):
        raise UndecodableFrame(
            f"A picture of {rows} x {columns} pixels is too large for {rendered_format}; ask for image/png."
        )
    options: dict[str, Any] = {} if profile is None else {"icc_profile": profile}
    if rendered_format is RenderedFormat.JPEG:
        options |= {"quality": quality, "subsampling": 0}
    elif rendered_format is RenderedFormat.WEBP:
        options |= {"quality": quality, "method": 2}
    buffer = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(display_values))
    picture.save(buffer, rendered_format.name, **options)
    return buffer.getvalue()
