"""From pixel data to the stored values of one frame. Only the bytes of that frame are read."""

from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, BinaryIO, Protocol

from numpy.typing import NDArray

from imageserver.dicom.attributes import instance_address
from imageserver.dicom.codestream import StreamHeader, read_stream_header, without_fill_bytes
from imageserver.dicom.decoder_pool import DecoderFailure
from imageserver.dicom.deflate import inflate_frame
from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.native_pixels import mask_unused_bits, read_native_frame
from imageserver.dicom.pixel_data import PixelData, frame_fragments, read_fragments
from imageserver.dicom.reading import Header
from imageserver.dicom.transfer_syntax import (
    DEFLATED_IMAGE_FRAME,
    REFUSED,
    TransferSyntax,
    is_supported,
    syntax_of_stream,
)
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
        why = REFUSED.get(header.transfer_syntax_uid)
        raise UnsupportedTransferSyntax(
            f"The transfer syntax {header.transfer_syntax_uid} ({header.transfer_syntax.name}) is not supported"
            + (f": {why}." if why else "."),
            transfer_syntax_uid=header.transfer_syntax_uid,
            transfer_syntax_name=header.transfer_syntax.name,
        )
    source = header.pixel_stream(stream)
    try:
        if pixel_data.is_encapsulated:
            return _decode_encapsulated(source, header, image, pixel_data, frame_index, decoders)
        syntax = header.transfer_syntax
        is_little_endian = syntax.is_little_endian and not syntax.has_big_endian_pixels
        values = read_native_frame(source, image, pixel_data, frame_index, is_little_endian=is_little_endian)
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


def _decode_encapsulated(
    stream: BinaryIO,
    header: Header,
    image: ImagePixel,
    pixel_data: PixelData,
    frame_index: int,
    decoders: Decoders,
) -> DecodedFrame:
    fragments = frame_fragments(stream, pixel_data, header.dataset, image.number_of_frames, frame_index)
    data = read_fragments(stream, fragments)
    if header.transfer_syntax.is_frame_native:
        return _decode_native_fragment(data, header, image)
    return _decode_compressed(without_fill_bytes(data), header.transfer_syntax, image, decoders)


def _decode_native_fragment(data: bytes, header: Header, image: ImagePixel) -> DecodedFrame:
    """Decode a native frame in a fragment of its own, deflated or not."""
    frame = replace(image, number_of_frames=1)
    if header.transfer_syntax_uid == DEFLATED_IMAGE_FRAME:
        data = inflate_frame(data, frame.native_length)
    place = PixelData("PixelData", "OB", 0, len(data), is_encapsulated=False)
    values = read_native_frame(BytesIO(data), frame, place, 0, is_little_endian=True)
    return DecodedFrame(values, _native_photometric(image))


def _decode_compressed(
    data: bytes, declared: TransferSyntax, image: ImagePixel, decoders: Decoders
) -> DecodedFrame:
    stream_header = read_stream_header(data)
    syntax = _syntax_of(stream_header, declared)
    size = stream_header.size if stream_header else None
    if size is not None and size != (image.rows, image.columns):
        raise ValueError(
            f"its stream has {size.rows} x {size.columns} pixels instead of {image.rows} x {image.columns}"
        )
    values, photometric = decoders.decode(_request(syntax, stream_header, image), data)
    expected = (image.rows, image.columns, image.samples_per_pixel)[
        : 2 if image.samples_per_pixel == 1 else 3
    ]
    if values.shape != expected:
        raise ValueError(f"the decoder gave {values.shape} instead of {expected}")
    if image.samples_per_pixel == 1:
        return DecodedFrame(_as_stored(values, syntax, image), image.photometric_interpretation)
    is_rgb = stream_header is not None and stream_header.is_decoded_to_rgb
    # What a decoder gives has all samples, also where the stream had half of the colour ones.
    return DecodedFrame(
        values, "RGB" if is_rgb else "YBR_FULL" if photometric == "YBR_FULL_422" else photometric
    )


def _syntax_of(stream_header: StreamHeader | None, declared: TransferSyntax) -> TransferSyntax:
    """Return the transfer syntax that the stream itself is in, where it says so and the declared one is another."""
    if stream_header is None or stream_header.kind in declared.kinds:
        return declared
    found = syntax_of_stream(stream_header)
    if found is None:
        raise ValueError(f"its stream is {stream_header.kind.value}, which no decoder reads")
    return found


def _as_stored(values: NDArray[Any], syntax: TransferSyntax, image: ImagePixel) -> NDArray[Any]:
    """Bring what a decoder gave to the type and the bits that native stored values have.

    Lossy streams overshoot: there a value beyond Bits Stored is a bright pixel, and masked it would be a black one.
    Values of a stream that is deeper than Bits Allocated stay as they are.
    """
    if values.dtype.itemsize > image.stored_type.itemsize:
        return values
    stored = values.astype(image.stored_type, copy=False)
    is_in_place = image.high_bit == image.bits_stored - 1
    return stored if syntax.is_lossy and is_in_place else mask_unused_bits(stored, image)


def _request(syntax: TransferSyntax, stream_header: StreamHeader | None, image: ImagePixel) -> dict[str, Any]:
    """Describe a frame to the decoder process, in the words of pydicom's decoders."""
    fallback = "RGB" if image.samples_per_pixel > 1 else "MONOCHROME2"
    photometric = image.photometric_interpretation
    return {
        "transfer_syntax_uid": syntax.uid,
        "precision": stream_header.precision if stream_header else None,
        "options": {
            "rows": image.rows,
            "columns": image.columns,
            "samples_per_pixel": image.samples_per_pixel,
            "photometric_interpretation": photometric if photometric in _PHOTOMETRIC else fallback,
            "planar_configuration": image.planar_configuration,
            "bits_allocated": 8 * image.stored_type.itemsize,
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
