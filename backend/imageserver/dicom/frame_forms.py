"""In which form a frame leaves the server: as stored, as native values, or as a browser shows it right."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.codestream import read_stream_header, without_fill_bytes
from imageserver.dicom.colour import to_rgb
from imageserver.dicom.decoding import DecodedFrame, Decoders, decode_frame, undecodable
from imageserver.dicom.fragment_layout import FragmentLayout
from imageserver.dicom.frame_encoding import (
    JPEG_2000_LOSSLESS,
    JPEG_LS_LOSSLESS,
    NotEncodable,
    bits_stored_of,
    encode_values,
)
from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.native_layout import NativeLayout, native_layout
from imageserver.dicom.pixel_data import frame_fragments, read_fragments
from imageserver.dicom.reading import Header
from imageserver.dicom.transfer_syntax import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    RLE_LOSSLESS,
    SUPPORTED,
    TransferSyntax,
)
from imageserver.errors import NotAcceptable

PALETTE = "PALETTE COLOR"


class Form(StrEnum):
    """What is wanted of a frame.

    ``STORED``: the bytes of the file. ``NATIVE``: explicit VR little endian, as PS3.18 has it for clients that name no
    transfer syntax. ``RLE``, ``JPEG_LS``, ``JPEG_2000``: encoded without loss. ``BROWSER``: as stored where browsers
    decode it right (`SENT_TO_BROWSERS`), else decoded, colours to RGB.
    """

    STORED = "stored"
    NATIVE = "native"
    BROWSER = "browser"
    RLE = "rle"
    JPEG_LS = "jpeg-ls"
    JPEG_2000 = "jpeg-2000"

    @property
    def is_encoded(self) -> bool:
        """Whether frames are compressed for it, however they are stored."""
        return self in ENCODED_FORMS.values()


ENCODED_FORMS = {
    RLE_LOSSLESS: Form.RLE,
    JPEG_LS_LOSSLESS: Form.JPEG_LS,
    JPEG_2000_LOSSLESS: Form.JPEG_2000,
}


class EncodedFrame(NamedTuple):
    """The bytes of one frame, and how they are to be read.

    Attributes
    ----------
    content : bytes
    transfer_syntax_uid : str
        Of these bytes.
    parameters : mapping of str to str
        What differs from the instance's own Image Pixel module, by the names of its attributes in lower case; empty
        where nothing does. Decoded colour is always interleaved (Planar Configuration 0).
    """

    content: bytes
    transfer_syntax_uid: str
    parameters: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Sending:
    """What browsers are sent of one transfer syntax.

    Attributes
    ----------
    is_grey_stored : bool
        Whether frames of one sample go as they are stored.
    stored_colours : frozenset of str
        The photometric interpretations of which frames go as they are stored.
    reason : str
        Why, or why not.
    """

    is_grey_stored: bool
    stored_colours: frozenset[str]
    reason: str


_NO_COLOUR: frozenset[str] = frozenset()
_PLAIN = Sending(
    True, frozenset({"RGB"}), "plain values need no decoder; colour is interleaved RGB of 8 bits, or made so"
)
_WAVELET = Sending(
    True,
    frozenset({"RGB", "YBR_RCT", "YBR_ICT"}),
    "equal to the reference decoders where precision and sign are those of the data set",
)
_GREY = Sending(
    True, _NO_COLOUR, "equal to the reference decoders; whether colours come as planes is not certain"
)
_BYTES = Sending(False, _NO_COLOUR, "not every browser decoder has it; the values are plain")
_RETIRED = Sending(
    False, _NO_COLOUR, "retired; decoders of browsers refuse it or take it for another process"
)
_JPEG_XL = Sending(
    False, _NO_COLOUR, "its decoder is larger than all others together, and no browser has it yet"
)
_RELABELLED = Sending(True, frozenset({"RGB"}), "the same bytes under a name that everybody knows")


def _jpeg(number: int) -> str:
    return f"1.2.840.10008.1.2.4.{number}"


SENT_TO_BROWSERS: dict[str, Sending] = {
    "1.2.840.10008.1.2": _RELABELLED,
    EXPLICIT_VR_LITTLE_ENDIAN: _PLAIN,
    "1.3.46.670589.33.1.4.1": _RELABELLED,
    "1.2.840.10008.1.2.1.99": Sending(
        False,
        _NO_COLOUR,
        "the whole data set is deflated; a frame of it is nothing that a decoder could find",
    ),
    "1.2.840.10008.1.2.2": Sending(False, _NO_COLOUR, "retired; a browser would have to swap every value"),
    "1.2.840.113619.5.2": Sending(
        False, _NO_COLOUR, "private: big endian pixels under a little endian header"
    ),
    "1.2.840.10008.1.2.1.98": _BYTES,
    "1.2.840.10008.1.2.8.1": _BYTES,
    _jpeg(50): Sending(
        True,
        frozenset({"YBR_FULL", "YBR_FULL_422"}),
        "equal to the reference decoder; RGB is left out, because browsers take three components for YCbCr",
    ),
    _jpeg(51): Sending(False, _NO_COLOUR, "12 bits: the browser's decoder is off by about 15 grey levels"),
    **dict.fromkeys(map(_jpeg, (52, 53, 54, 55, 56)), _RETIRED),
    **dict.fromkeys(map(_jpeg, (57, 70, 80, 81)), _GREY),
    **dict.fromkeys(map(_jpeg, (90, 91, 201, 202, 203)), _WAVELET),
    **dict.fromkeys(map(_jpeg, (110, 111, 112)), _JPEG_XL),
    "1.2.840.10008.1.2.5": Sending(
        True, _NO_COLOUR, "equal to the reference decoder; whether colours come as planes is not certain"
    ),
}

_COLOUR_TRANSFORM = frozenset({"YBR_RCT", "YBR_ICT"})
_STORED_BITS = (8, 16)  # what the decoders of browsers give
_ADOBE = b"\xff\xee\x00\x0eAdobe"  # says how the components are meant, which not all decoders follow
_MARKERS = 4096


def encode_frame(
    stream: BinaryIO, header: Header, frame_index: int, form: Form, decoders: Decoders
) -> EncodedFrame:
    """Bring one frame into the form that is wanted.

    Parameters
    ----------
    stream : binary file object, seekable
        The file that `header` was read from.
    header : Header
        Of an object with pixel data.
    frame_index : int
        From 0.
    form : Form
        What is wanted.
    decoders : Decoders
        For compressed transfer syntaxes.

    Returns
    -------
    EncodedFrame

    Raises
    ------
    imageserver.errors.UnsupportedTransferSyntax, imageserver.errors.UndecodableFrame, imageserver.errors.Busy
        As `decode_frame`.

    References
    ----------
    DICOM PS3.18 8.7.3.5.2, 10.4.1.2; PS3.5 8
    """
    image, pixel_data = header.image, header.pixel_data
    if image is None or pixel_data is None or not 0 <= frame_index < image.number_of_frames:
        raise undecodable(header, frame_index, "the file has no such frame")
    if form.is_encoded:
        return _encoded(decode_frame(stream, header, frame_index, decoders), image, form)
    if pixel_data.is_encapsulated:
        if form is not Form.NATIVE:
            data = _fragments_of(stream, header, image, frame_index)
            if (found := _as_stored(data, image, header.transfer_syntax, form)) is not None:
                return found
    elif (layout := native_layout(header, is_for_browsers=form is Form.BROWSER)) is not None:
        return read_plain_frame(header.pixel_stream(stream), layout, frame_index)
    frame = decode_frame(stream, header, frame_index, decoders)
    return (
        _shown(frame, header, image, frame_index) if form is Form.BROWSER else _native(frame, header, image)
    )


def read_plain_frame(stream: BinaryIO, layout: NativeLayout, frame_index: int) -> EncodedFrame:
    """Take a frame that is plain values from its place; raises ValueError where the bytes are not there."""
    return EncodedFrame(layout.read(stream, frame_index), layout.transfer_syntax_uid)


def read_stored_frame(
    stream: BinaryIO, layout: FragmentLayout, frame_index: int, form: Form
) -> EncodedFrame | None:
    """Take a compressed frame from its place.

    Parameters
    ----------
    stream : binary file object, seekable
        The file that the layout is of.
    layout : FragmentLayout
        Of the object.
    frame_index : int
        From 0.
    form : Form
        ``STORED`` or ``BROWSER``.

    Returns
    -------
    EncodedFrame or None
        None where browsers would not decode it right.

    Raises
    ------
    ValueError
        If the bytes are not there.
    """
    return _as_stored(layout.read(stream, frame_index), layout.image, layout.transfer_syntax, form)


def _as_stored(data: bytes, image: ImagePixel, syntax: TransferSyntax, form: Form) -> EncodedFrame | None:
    if form is Form.STORED:
        return EncodedFrame(data, syntax.uid)
    if is_decoded_by_browsers(image, syntax, data):
        return EncodedFrame(without_fill_bytes(data), syntax.uid)
    return None


def is_decoded_by_browsers(image: ImagePixel, syntax: TransferSyntax, data: bytes) -> bool:
    """Tell whether the decoders of browsers give the right values for a compressed frame.

    Parameters
    ----------
    image : ImagePixel
        What the data set says of it.
    syntax : TransferSyntax
        Of the object.
    data : bytes
        The compressed stream of the frame, fill bytes in front of it allowed.
    """
    sending = SENT_TO_BROWSERS.get(syntax.uid)
    if sending is None or image.is_float or image.bits_allocated not in _STORED_BITS:
        return False
    photometric = image.photometric_interpretation
    is_grey = image.samples_per_pixel == 1 and photometric != PALETTE
    if not (sending.is_grey_stored if is_grey else photometric in sending.stored_colours):
        return False
    if image.high_bit != image.bits_stored - 1 or (not is_grey and image.bits_stored != 8):
        return False
    return _is_as_declared(without_fill_bytes(data), syntax, image)


def _is_as_declared(data: bytes, syntax: TransferSyntax, image: ImagePixel) -> bool:
    """Tell whether a stream says of itself what the data set says of it."""
    found = read_stream_header(data)
    if found is None or found.kind not in syntax.kinds:
        return False
    if found.size not in (None, (image.rows, image.columns)):
        return False
    if found.precision is not None:
        bytes_per_sample = 1 if found.precision <= 8 else 2  # that decoders give
        if found.precision != image.bits_stored or image.bits_allocated != 8 * bytes_per_sample:
            return False
    if found.is_signed not in (None, image.is_signed):
        return False
    if image.photometric_interpretation in _COLOUR_TRANSFORM and not found.is_decoded_to_rgb:
        return False
    return image.samples_per_pixel == 1 or _ADOBE not in data[:_MARKERS]


def _fragments_of(stream: BinaryIO, header: Header, image: ImagePixel, frame_index: int) -> bytes:
    source, pixel_data = header.pixel_stream(stream), header.pixel_data
    assert pixel_data is not None
    frames = image.number_of_frames
    try:
        return read_fragments(
            source, frame_fragments(source, pixel_data, header.dataset, frames, frame_index)
        )
    except ValueError as error:
        raise undecodable(header, frame_index, str(error)) from error


def _encoded(frame: DecodedFrame, image: ImagePixel, form: Form) -> EncodedFrame:
    syntax = next(uid for uid, encoded in ENCODED_FORMS.items() if encoded is form)
    bits = bits_stored_of(frame.stored_values, image)
    try:
        content = encode_values(frame.stored_values, frame.photometric_interpretation, bits, syntax)
    except NotEncodable as error:
        raise NotAcceptable(f"The frame cannot be had as {syntax}: {error}.") from error
    return EncodedFrame(content, syntax)


def _native(frame: DecodedFrame, header: Header, image: ImagePixel) -> EncodedFrame:
    """Write stored values as native pixel data: bits packed where one is allocated (PS3.5 8.1.1)."""
    values = frame.stored_values
    if image.bits_allocated == 1 and header.pixel_data is not None and not header.pixel_data.is_encapsulated:
        packed = np.packbits(values.reshape(-1).astype(bool), bitorder="little")
        return EncodedFrame(packed.tobytes(), EXPLICIT_VR_LITTLE_ENDIAN)
    return _values(values, frame.photometric_interpretation, image)


def _shown(frame: DecodedFrame, header: Header, image: ImagePixel, frame_index: int) -> EncodedFrame:
    """Write stored values so that a page needs no more than windows for them: grey as it is, colour as RGB."""
    photometric = frame.photometric_interpretation
    if image.samples_per_pixel == 1 and photometric != PALETTE:
        return _values(frame.stored_values, photometric, image)
    try:
        rgb = to_rgb(frame.stored_values, photometric, image, header.dataset)
    except ValueError as error:
        raise undecodable(header, frame_index, str(error)) from error
    return _described(rgb, "RGB", 8)


def _values(values: NDArray[Any], photometric: str, image: ImagePixel) -> EncodedFrame:
    bits = 8 * values.dtype.itemsize
    is_whole = values.dtype.kind != "u" or values.dtype.itemsize > image.stored_type.itemsize
    return _described(values, photometric, bits if is_whole else min(image.bits_stored, bits))


def _described(values: NDArray[Any], photometric: str, bits_stored: int) -> EncodedFrame:
    little_endian = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    parameters = {
        "samples-per-pixel": str(values.shape[2] if values.ndim == 3 else 1),
        "photometric-interpretation": photometric.replace(" ", "_"),
        "bits-allocated": str(8 * values.dtype.itemsize),
        "bits-stored": str(bits_stored),
        "pixel-representation": {"u": "0", "i": "1"}.get(values.dtype.kind, "float"),
    }
    return EncodedFrame(little_endian.tobytes(), EXPLICIT_VR_LITTLE_ENDIAN, MappingProxyType(parameters))


assert SENT_TO_BROWSERS.keys() == SUPPORTED.keys()
