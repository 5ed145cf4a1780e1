"""Which decoder reads which transfer syntax; part of the decoder process, and imports nothing of the server.

Everything is imported at once: when the first frame comes, the process can open no file any more.
The choice and the licences are in docs/decisions/0017-decoders.md and 0041-decoders-of-rare-transfer-syntaxes.md.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
from imagecodecs import jpeg8_decode, jpegxl_decode
from PIL import JpegImagePlugin
from pydicom.encaps import encapsulate
from pydicom.pixels.common import PhotometricInterpretation
from pydicom.pixels.decoders.base import DecodeRunner, JPEGExtended12BitDecoder, get_decoder
from pydicom.pixels.decoders.gdcm import _decode_frame as decode_with_gdcm
from pydicom.uid import (
    JPEG2000TransferSyntaxes,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSTransferSyntaxes,
)

Options = dict[str, Any]
Decoded = tuple[np.ndarray, str]

# libjpeg decodes all processes that are neither lossless nor hierarchical.
_LIBJPEG = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 52, 53, 54, 55, 56))
_JPEG_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
_PYDICOM_PLUGINS: dict[str, tuple[str, ...]] = {
    "1.2.840.10008.1.2.4.57": ("gdcm",),
    "1.2.840.10008.1.2.4.70": ("gdcm",),
    "1.2.840.10008.1.2.4.80": ("gdcm",),
    "1.2.840.10008.1.2.4.81": ("gdcm",),
    "1.2.840.10008.1.2.4.90": ("gdcm", "pylibjpeg"),
    "1.2.840.10008.1.2.4.91": ("gdcm", "pylibjpeg"),
    "1.2.840.10008.1.2.4.201": ("pylibjpeg",),
    "1.2.840.10008.1.2.4.202": ("pylibjpeg",),
    "1.2.840.10008.1.2.4.203": ("pylibjpeg",),
    "1.2.840.10008.1.2.5": ("pydicom",),
}
_JPEG_XL = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (110, 111, 112))
# Where pydicom looks for our own plugin, and what it needs: nothing that it would have to look for.
DECODER_DEPENDENCIES = {JPEGExtended12Bit: ("gdcm",)}


def is_available(_uid: str) -> bool:
    """Tell pydicom that the plugin of this module can be used."""
    return True


def decode(request: dict[str, Any], source: bytes) -> Decoded:
    """Decode one frame to stored values, with the photometric interpretation that they then have.

    Parameters
    ----------
    request : dict
        ``transfer_syntax_uid`` of the stream, ``precision`` (bits per sample that the stream tells, or None) and
        ``options``: the Image Pixel module under the names of pydicom's decoders.
    source : bytes
        The compressed stream.

    Raises
    ------
    ValueError
        If no decoder can; the message names each one and what it said.
    """
    uid, precision = request["transfer_syntax_uid"], request.get("precision")
    options = (
        _widened(request["options"], precision or 0)
        if uid in JPEG2000TransferSyntaxes
        else request["options"]
    )
    failures = []
    for name, decoder in _decoders(uid, precision, options):
        try:
            return decoder(source, options)
        except MemoryError:
            raise
        except Exception as error:  # whatever a decoder raises, the next one is tried
            failures.append(f"{name}: {type(error).__name__}")
    raise ValueError("; ".join(failures) or "none for it")


def _decoders(
    uid: str, precision: int | None, options: Options
) -> list[tuple[str, Callable[[bytes, Options], Decoded]]]:
    """Return the decoders to try, in this order, with their names."""
    is_grey = options["samples_per_pixel"] == 1
    if uid in _JPEG_XL:
        return [("libjxl", decode_jpeg_xl)]
    if uid in _LIBJPEG:
        if precision == 8:
            return [("pillow", decode_8_bit_jpeg)]
        if is_grey:
            return [("libjpeg-turbo", decode_with_libjpeg_turbo)]
        return [("gdcm", _with_pydicom(JPEGExtended12Bit, "imageserver_12_bit"))]
    if uid in _JPEG_LOSSLESS and is_grey and precision is not None and precision < 8:  # GDCM crashes on these
        return [("libjpeg-turbo", decode_with_libjpeg_turbo)]
    return [(name, _with_pydicom(uid, name)) for name in _plugins(uid, options)]


def _plugins(uid: str, options: Options) -> tuple[str, ...]:
    """Return the plugins to try. pyjpegls takes only what GDCM cannot: it searches damaged streams for many seconds."""
    bits, is_signed = options["bits_stored"], options["pixel_representation"] == 1
    if uid in JPEGLSTransferSyntaxes and (bits in (6, 7) or (is_signed and bits < 8)):
        return ("pyjpegls",)
    return _PYDICOM_PLUGINS[uid]


def _widened(options: Options, precision: int) -> Options:
    """Make room for a stream that is deeper than Bits Allocated; its top bits would silently be lost."""
    if precision <= options["bits_allocated"]:
        return options
    return {**options, "bits_allocated": 16 if precision <= 16 else 32, "bits_stored": precision}


def _with_pydicom(uid: str, plugin: str) -> Callable[[bytes, Options], Decoded]:
    def decode_with_plugin(source: bytes, options: Options) -> Decoded:
        buffer = encapsulate([source], has_bot=False)
        values, properties = get_decoder(uid).as_array(
            buffer, index=0, raw=True, decoding_plugin=plugin, **options
        )
        return values, str(properties["photometric_interpretation"])

    return decode_with_plugin


def decode_8_bit_jpeg(source: bytes, options: Options) -> Decoded:
    """Decode JPEG of 8-bit samples to the samples of the stream, without colour conversion.

    Pillow converts YCbCr to RGB unless asked otherwise. Whether the stream holds RGB is what libjpeg itself goes by:
    the Adobe marker, else the component identifiers; a JFIF marker means YCbCr.
    """
    image = JpegImagePlugin.JpegImageFile(BytesIO(source))
    photometric = str(options["photometric_interpretation"])
    if options["samples_per_pixel"] == 3:
        transform = image.info.get("adobe_transform")
        identifiers = [layer[0] for layer in getattr(image, "layer", [])]
        if transform == 0 or (transform is None and identifiers == [b"R"[0], b"G"[0], b"B"[0]]):
            photometric = PhotometricInterpretation.RGB
        else:
            image.draft("YCbCr", image.size)
            if transform == 1:
                photometric = PhotometricInterpretation.YBR_FULL
    return np.asarray(image), str(photometric)


def decode_with_libjpeg_turbo(source: bytes, options: Options) -> Decoded:
    """Decode grey JPEG of any depth, by whatever process but the hierarchical ones."""
    return jpeg8_decode(source), str(options["photometric_interpretation"])


def decode_jpeg_xl(source: bytes, options: Options) -> Decoded:
    """Decode JPEG XL with libjxl, which gives integers as they were, and every colour space as RGB."""
    values = jpegxl_decode(source, keeporientation=True, numthreads=1)
    if values.dtype.kind != "u":
        raise ValueError("not a stream of integers")
    is_colour = options["samples_per_pixel"] == 3
    return values, "RGB" if is_colour else str(options["photometric_interpretation"])


class _AnotherSyntax:
    """A runner that reports another transfer syntax: pydicom's plugin refuses 12-bit JPEG, GDCM itself does not."""

    def __init__(self, runner: DecodeRunner) -> None:
        self._runner = runner
        self.transfer_syntax = JPEGLosslessSV1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)


def decode_12_bit_with_gdcm(source: bytes, runner: DecodeRunner) -> bytes:
    """Decode 12-bit JPEG Extended (process 4) with GDCM, which finds the process in the stream itself."""
    if runner.bits_allocated != 16:
        raise ValueError("not a stream of 12-bit samples")
    return decode_with_gdcm(source, _AnotherSyntax(runner))  # type: ignore[arg-type]


def add_plugins() -> None:
    """Make our plugin known to pydicom; this module must be in `sys.modules` under its name."""
    JPEGExtended12BitDecoder.add_plugin("imageserver_12_bit", (__name__, "decode_12_bit_with_gdcm"))
