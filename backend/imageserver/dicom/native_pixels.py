"""Native pixel data to stored values: byte order, packed bits, planes, shared colour, unused bits."""

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.pixel_data import PixelData


def read_native_frame(
    stream: BinaryIO, image: ImagePixel, pixel_data: PixelData, frame_index: int, *, is_little_endian: bool
) -> NDArray[Any]:
    """Read one frame of native pixel data.

    Parameters
    ----------
    stream : binary file object, seekable
        What `pixel_data` points into.
    image : ImagePixel
        Of the object.
    pixel_data : PixelData
        Not encapsulated.
    frame_index : int
        From 0.
    is_little_endian : bool
        Byte order of the pixel values.

    Returns
    -------
    numpy.ndarray, shape (rows, columns) or (rows, columns, samples)
        Stored values in the byte order of this machine, unused bits masked and signs extended.

    Raises
    ------
    ValueError
        If the bytes are not there.

    References
    ----------
    DICOM PS3.5 8.1.1, A.1 to A.3; PS3.3 C.7.6.3.1
    """
    is_subsampled = image.is_subsampled and not _is_spread(image, pixel_data)
    frame_bits = image.native_frame_bits if is_subsampled else image.samples_per_frame * image.bits_allocated
    if image.bits_allocated in (1, 12):
        packed = _read_bits(stream, pixel_data, frame_index * frame_bits, frame_bits, is_little_endian)
        return mask_unused_bits(_shape(_unpack(packed, image), image), image)
    length = frame_bits // 8
    is_swapped = image.bits_allocated == 8 and _has_swapped_bytes(pixel_data, is_little_endian)
    data = _read(stream, pixel_data.offset, frame_index * length, length, is_swapped)
    values = np.frombuffer(data, ("<" if is_little_endian else ">") + image.stored_type.str[1:])
    values = values.astype(image.stored_type, copy=False)
    if is_subsampled:
        return _spread_chroma(values, image)
    return mask_unused_bits(_shape(values, image), image)


def _has_swapped_bytes(pixel_data: PixelData, is_little_endian: bool) -> bool:
    """Tell whether bytes stand in words of big endian, the first in the low half (PS3.5 A.3)."""
    return not is_little_endian and pixel_data.vr == "OW"


def _read(stream: BinaryIO, offset: int, start: int, length: int, is_swapped: bool = False) -> bytes:
    first, last = (start // 2 * 2, (start + length + 1) // 2 * 2) if is_swapped else (start, start + length)
    stream.seek(offset + first)
    data = stream.read(last - first)
    if len(data) != last - first or not data:
        raise ValueError("its bytes are not there any more")
    if not is_swapped:
        return data
    return np.frombuffer(data, np.uint16).byteswap().tobytes()[start - first : start - first + length]


def _read_bits(
    stream: BinaryIO, pixel_data: PixelData, first: int, count: int, is_little_endian: bool
) -> NDArray[np.uint8]:
    """Read bits, the lowest of each byte first; frames follow each other without padding (PS3.5 8.1.1)."""
    start, end = first // 8, (first + count + 7) // 8
    data = _read(
        stream, pixel_data.offset, start, end - start, _has_swapped_bytes(pixel_data, is_little_endian)
    )
    return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[first % 8 : first % 8 + count]


def _unpack(bits: NDArray[np.uint8], image: ImagePixel) -> NDArray[Any]:
    """Join the bits of each sample, the lowest first."""
    if image.bits_allocated == 1:
        return bits
    cells = np.zeros((bits.size // image.bits_allocated, 16), np.uint8)
    cells[:, : image.bits_allocated] = bits.reshape(-1, image.bits_allocated)
    return np.packbits(cells, axis=1, bitorder="little").view("<u2")[:, 0].astype(image.stored_type)


def _is_spread(image: ImagePixel, pixel_data: PixelData) -> bool:
    """Tell whether data that is called 4:2:2 holds all samples, as some writers have it."""
    return pixel_data.length >= image.samples_per_frame * image.number_of_frames * image.bits_allocated // 8


def _shape(values: NDArray[Any], image: ImagePixel) -> NDArray[Any]:
    if image.samples_per_pixel == 1:
        return values.reshape(image.rows, image.columns)
    if image.planar_configuration == 1:
        return values.reshape(image.samples_per_pixel, image.rows, image.columns).transpose(1, 2, 0)
    return values.reshape(image.rows, image.columns, image.samples_per_pixel)


def _spread_chroma(values: NDArray[Any], image: ImagePixel) -> NDArray[Any]:
    """Give both pixels of a pair their common colour: Y1 Y2 Cb Cr (PS3.3 C.7.6.3.1.2, YBR_FULL_422)."""
    pairs = values.reshape(-1, 4)
    spread = np.empty((len(pairs), 2, 3), values.dtype)
    spread[:, 0, 0], spread[:, 1, 0] = pairs[:, 0], pairs[:, 1]
    spread[:, :, 1:] = pairs[:, np.newaxis, 2:]
    return spread.reshape(image.rows, image.columns, 3)


def mask_unused_bits(values: NDArray[Any], image: ImagePixel) -> NDArray[Any]:
    """Keep the Bits Stored below High Bit, and extend the sign; other bits may hold anything (PS3.5 8.1.1).

    Parameters
    ----------
    values : numpy.ndarray, any integer type
        Left as it is.
    image : ImagePixel
        For bits stored, high bit and sign.

    Returns
    -------
    numpy.ndarray, same shape and type
    """
    bits = 8 * image.stored_type.itemsize  # 12 bits allocated are unpacked into 16
    if image.is_float or image.bits_allocated == 1 or image.bits_stored == bits:
        return values
    unused_above = bits - image.high_bit - 1
    unused = bits - image.bits_stored
    if not image.is_signed and unused_above == unused:
        return np.asarray(values & values.dtype.type((1 << image.bits_stored) - 1))
    # Shifting up drops what is above, shifting down what is below, and repeats the sign of signed types.
    return np.asarray((values << unused_above) >> unused)
