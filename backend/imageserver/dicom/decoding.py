"""From pixel data to the stored values of one frame. Only the bytes of that frame are read."""

from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.attributes import instance_address
from imageserver.dicom.codestream import is_decoded_to_rgb, stream_size
from imageserver.dicom.decoder_pool import DecoderFailure
from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.pixel_data import PixelData, frame_fragments, read_fragments
from imageserver.dicom.reading import Header
from imageserver.dicom.transfer_syntax import is_supported
from imageserver.errors import UndecodableFrame, UnsupportedTransferSyntax

_PHOTOMETRIC = frozenset(
    {"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
)


class Decoders(Protocol):
    """What decodes compressed frames: `decoder_pool.DecoderPool`, or a stand-in."""

    def decode(self, request: dict[str, Any], data: bytes) -> tuple[NDArray[Any], str]:
        """Decode the compressed stream of one frame."""
        ...


@dataclass(frozen=True)
class DecodedFrame:
    """Stored values of one frame.

    Attributes
    ----------
    stored_values : numpy.ndarray, shape (rows, columns) or (rows, columns, samples)
        Unused high bits masked, sign extended, in the byte order of this machine. Not to be written to.
    photometric_interpretation : str
        Of these values; a decoder may have turned YBR_RCT into RGB.
    """

    stored_values: NDArray[Any]
    photometric_interpretation: str


def decode_frame(stream: BinaryIO, header: Header, frame_index: int, decoders: Decoders) -> DecodedFrame:
    """Decode one frame.

    Parameters
    ----------
    stream : binary file object, seekable
        The file that `header` was read from.
    header : Header
        Of an object with pixel data.
    frame_index : int
        From 0, below `header.image.number_of_frames`.
    decoders : Decoders
        For compressed transfer syntaxes.

    Returns
    -------
    DecodedFrame

    Raises
    ------
    imageserver.errors.UnsupportedTransferSyntax
    imageserver.errors.UndecodableFrame
        Names the instance and the frame.
    imageserver.errors.Busy
        If all decoders are busy.

    References
    ----------
    DICOM PS3.5 8
    """
    image, pixel_data = header.image, header.pixel_data
    if image is None or pixel_data is None or not 0 <= frame_index < image.number_of_frames:
        raise undecodable(header, frame_index, "the file has no such frame")
    if not is_supported(header.transfer_syntax_uid):
        raise UnsupportedTransferSyntax(
            f"The transfer syntax {header.transfer_syntax_uid} ({header.transfer_syntax.name}) is not supported.",
            transfer_syntax_uid=header.transfer_syntax_uid,
            transfer_syntax_name=header.transfer_syntax.name,
        )
    source = header.pixel_stream(stream)
    try:
        if pixel_data.is_encapsulated:
            return _decode_compressed(source, header, image, pixel_data, frame_index, decoders)
        values = _decode_native(source, header, image, pixel_data, frame_index)
    except (DecoderFailure, ValueError) as error:
        raise undecodable(header, frame_index, str(error)) from error
    return DecodedFrame(values, _native_photometric(image))


def undecodable(header: Header, frame_index: int, reason: str) -> UndecodableFrame:
    """Make the error that names instance, frame and reason."""
    uid = instance_address(header.dataset, header.file_meta).sop_instance_uid
    return UndecodableFrame(
        f"Frame {frame_index + 1} of instance {uid} cannot be decoded: {reason}.",
        sop_instance_uid=uid,
        frame_number=frame_index + 1,
    )


def _decode_compressed(
    stream: BinaryIO,
    header: Header,
    image: ImagePixel,
    pixel_data: PixelData,
    frame_index: int,
    decoders: Decoders,
) -> DecodedFrame:
    fragments = frame_fragments(stream, pixel_data, header.dataset, image.number_of_frames, frame_index)
    data = read_fragments(stream, fragments)
    size = stream_size(data)
    if size is not None and size != (image.rows, image.columns):
        raise ValueError(
            f"its stream has {size.rows} x {size.columns} pixels instead of {image.rows} x {image.columns}"
        )
    values, photometric = decoders.decode(_request(header, image), data)
    expected = (image.rows, image.columns, image.samples_per_pixel)[
        : 2 if image.samples_per_pixel == 1 else 3
    ]
    if values.shape != expected:
        raise ValueError(f"the decoder gave {values.shape} instead of {expected}")
    if image.samples_per_pixel == 1:
        return DecodedFrame(_as_stored(values, header, image), image.photometric_interpretation)
    return DecodedFrame(values, "RGB" if is_decoded_to_rgb(data) else photometric)


def _as_stored(values: NDArray[Any], header: Header, image: ImagePixel) -> NDArray[Any]:
    """Bring what a decoder gave to the type and the bits that native stored values have.

    Lossy streams overshoot: there a value beyond Bits Stored is a bright pixel, and masked it would be a black one.
    Values of a stream that is deeper than Bits Allocated stay as they are.
    """
    if values.dtype.itemsize > image.stored_type.itemsize:
        return values
    stored = values.astype(image.stored_type, copy=False)
    is_in_place = image.high_bit == image.bits_stored - 1
    return stored if header.transfer_syntax.is_lossy and is_in_place else mask_unused_bits(stored, image)


def _request(header: Header, image: ImagePixel) -> dict[str, Any]:
    """Describe a frame to the decoder process, in the words of pydicom's decoders."""
    fallback = "RGB" if image.samples_per_pixel > 1 else "MONOCHROME2"
    photometric = image.photometric_interpretation
    return {
        "transfer_syntax_uid": header.transfer_syntax_uid,
        "options": {
            "rows": image.rows,
            "columns": image.columns,
            "samples_per_pixel": image.samples_per_pixel,
            "photometric_interpretation": photometric if photometric in _PHOTOMETRIC else fallback,
            "planar_configuration": image.planar_configuration,
            "bits_allocated": image.bits_allocated,
            "bits_stored": image.bits_stored,
            "pixel_representation": int(image.is_signed),
            "number_of_frames": 1,
            "pixel_keyword": "PixelData",
        },
    }


def _native_photometric(image: ImagePixel) -> str:
    """Return the photometric interpretation after 4:2:2 samples were spread over both pixels."""
    return (
        "YBR_FULL" if image.photometric_interpretation == "YBR_FULL_422" else image.photometric_interpretation
    )


def _decode_native(
    stream: BinaryIO, header: Header, image: ImagePixel, pixel_data: PixelData, frame_index: int
) -> NDArray[Any]:
    if image.bits_allocated == 1:
        return _unpack_bits(stream, image, pixel_data, frame_index)
    is_subsampled = image.is_subsampled and not _is_spread(image, pixel_data)
    frame_bits = image.native_frame_bits if is_subsampled else image.samples_per_frame * image.bits_allocated
    length = frame_bits // 8
    if not header.transfer_syntax.is_little_endian and image.bits_allocated == 8 and pixel_data.vr == "OW":
        data = _read_swapped(stream, pixel_data.offset, frame_index * length, length)
    else:
        data = _read(stream, pixel_data.offset + frame_index * length, length)
    order = "<" if header.transfer_syntax.is_little_endian else ">"
    values = np.frombuffer(data, order + image.stored_type.str[1:])
    values = values.astype(image.stored_type, copy=False)
    if is_subsampled:
        return _spread_chroma(values, image)
    return mask_unused_bits(_shape(values, image), image)


def _read(stream: BinaryIO, offset: int, length: int) -> bytes:
    stream.seek(offset)
    data = stream.read(length)
    if len(data) != length:
        raise ValueError("its bytes are not there any more")
    return data


def _read_swapped(stream: BinaryIO, offset: int, start: int, length: int) -> bytes:
    """Read bytes that stand in words of big endian, the first in the low half (PS3.5 A.3)."""
    first, last = start // 2 * 2, (start + length + 1) // 2 * 2
    words = np.frombuffer(_read(stream, offset + first, last - first), np.uint16)
    return words.byteswap().tobytes()[start - first : start - first + length]


def _is_spread(image: ImagePixel, pixel_data: PixelData) -> bool:
    """Tell whether data that is called 4:2:2 holds all samples, as some writers have it."""
    return pixel_data.length >= image.samples_per_frame * image.number_of_frames * image.bits_allocated // 8


def _shape(values: NDArray[Any], image: ImagePixel) -> NDArray[Any]:
    if image.samples_per_pixel == 1:
        return values.reshape(image.rows, image.columns)
    if image.planar_configuration == 1:
        return values.reshape(image.samples_per_pixel, image.rows, image.columns).transpose(1, 2, 0)
    return values.reshape(image.rows, image.columns, image.samples_per_pixel)


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


def _unpack_bits(
    stream: BinaryIO, image: ImagePixel, pixel_data: PixelData, frame_index: int
) -> NDArray[Any]:
    """Read one frame of single bits; frames follow each other without padding (PS3.5 8.1.1)."""
    first = frame_index * image.samples_per_frame
    last = first + image.samples_per_frame
    data = _read(stream, pixel_data.offset + first // 8, (last + 7) // 8 - first // 8)
    if not data:
        raise ValueError("it has no pixels")
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    return _shape(bits[first % 8 : first % 8 + image.samples_per_frame], image)


def _spread_chroma(values: NDArray[Any], image: ImagePixel) -> NDArray[Any]:
    """Give both pixels of a pair their common colour: Y1 Y2 Cb Cr (PS3.3 C.7.6.3.1.2, YBR_FULL_422)."""
    pairs = values.reshape(-1, 4)
    spread = np.empty((len(pairs), 2, 3), values.dtype)
    spread[:, 0, 0], spread[:, 1, 0] = pairs[:, 0], pairs[:, 1]
    spread[:, :, 1:] = pairs[:, np.newaxis, 2:]
    return spread.reshape(image.rows, image.columns, 3)
