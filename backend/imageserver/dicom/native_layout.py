"""Frames that need no decoding: plain little endian values at a known place."""

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.native_pixels import mask_unused_bits
from imageserver.dicom.reading import Header
from imageserver.dicom.transfer_syntax import EXPLICIT_VR_LITTLE_ENDIAN


@dataclass(frozen=True)
class NativeLayout:
    """Where the frames of a file stand that are sent without decoding. Small: it is made to be remembered.

    Attributes
    ----------
    offset : int
        Of the first frame.
    frame_length, number_of_frames : int
        Frames follow each other without gaps.
    image : ImagePixel
        For the bits in use.
    is_masked : bool
        Whether bits beyond Bits Stored are to be cleared, and signs extended, on the way.
    """

    offset: int
    frame_length: int
    number_of_frames: int
    image: ImagePixel
    is_masked: bool

    @property
    def weight(self) -> int:
        """How much memory it takes, in layouts."""
        return 1

    @property
    def transfer_syntax_uid(self) -> str:
        """Of what is sent: the same bytes whether the data set around them is implicit or explicit."""
        return EXPLICIT_VR_LITTLE_ENDIAN

    def read(self, stream: BinaryIO, frame_index: int) -> bytes:
        """Read one frame; ValueError where it is not there."""
        if not 0 <= frame_index < self.number_of_frames:
            raise ValueError("the file has no such frame")
        stream.seek(self.offset + frame_index * self.frame_length)
        data = stream.read(self.frame_length)
        if len(data) != self.frame_length:
            raise ValueError("its bytes are not there any more")
        if not self.is_masked:
            return data
        values = np.frombuffer(data, self.image.stored_type.newbyteorder("<"))
        return mask_unused_bits(values, self.image).tobytes()


def native_layout(header: Header, *, is_for_browsers: bool) -> NativeLayout | None:
    """Tell where the plain frames of a file stand.

    Parameters
    ----------
    header : Header
        Of an object with pixel data.
    is_for_browsers : bool
        Then colours other than interleaved RGB of 8 bits, and palettes, are no plain frames; and unused bits, in which
        anything may stand (PS3.5 8.1.1), are cleared.

    Returns
    -------
    NativeLayout or None
        None where frames must be decoded: compressed, deflated, big endian, or bits packed.
    """
    image, pixel_data, syntax = header.image, header.pixel_data, header.transfer_syntax
    if image is None or pixel_data is None or pixel_data.is_encapsulated or header.inflated is not None:
        return None
    if not syntax.is_little_endian or syntax.has_big_endian_pixels or image.bits_allocated in (1, 12):
        return None
    length = image.native_frame_bits // 8
    whole = image.samples_per_frame * image.bits_allocated // 8
    if image.is_subsampled and pixel_data.length >= whole * image.number_of_frames:
        length = whole  # called 4:2:2, and holds all samples
    layout = NativeLayout(pixel_data.offset, length, image.number_of_frames, image, is_masked=False)
    if not is_for_browsers:
        return layout
    if image.samples_per_pixel > 1 or image.photometric_interpretation == "PALETTE COLOR":
        return layout if _is_plain_rgb(image) else None
    is_masked = not image.is_float and image.bits_stored != image.bits_allocated
    return NativeLayout(pixel_data.offset, length, image.number_of_frames, image, is_masked)


def _is_plain_rgb(image: ImagePixel) -> bool:
    is_interleaved = image.samples_per_pixel == 3 and image.planar_configuration == 0
    is_bytes = image.bits_allocated == image.bits_stored == 8
    return image.photometric_interpretation == "RGB" and is_interleaved and is_bytes
