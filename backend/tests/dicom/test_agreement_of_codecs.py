"""Every depth and sign of grey that lossless codecs can carry, encoded by other programs than the ones that decode.

The encoders are those of imagecodecs: libjpeg-turbo, CharLS, OpenJPEG, OpenJPH, libjxl. GDCM decodes JPEG lossless and
JPEG-LS (but for few bits), GDCM's OpenJPEG and pylibjpeg's the others; only JPEG XL has one library for both.
"""

from collections.abc import Callable

import numpy as np
import pytest
from imagecodecs import htj2k_encode, jpeg2k_encode, jpeg8_encode, jpegls_encode, jpegxl_encode

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.reading import read_header
from tests import builders

Encoder = Callable[[np.ndarray, int], bytes]
ENCODERS: dict[str, Encoder] = {
    "57": lambda pixels, bits: jpeg8_encode(pixels, lossless=True, predictor=6, bitspersample=bits),
    "70": lambda pixels, bits: jpeg8_encode(pixels, lossless=True, predictor=1, bitspersample=bits),
    "80": lambda pixels, bits: jpegls_encode(pixels),
    "90": lambda pixels, bits: jpeg2k_encode(
        pixels, level=0, reversible=True, codecformat="j2k", bitspersample=bits
    ),
    "201": lambda pixels, bits: htj2k_encode(pixels),
    "110": lambda pixels, bits: jpegxl_encode(pixels, lossless=True, bitspersample=bits),
}
HAS_SIGN = ("90", "201")  # the others carry the bits of a negative value


def picture(bits: int, *, is_signed: bool) -> np.ndarray:
    """Waves with some noise, which reach both ends of the range."""
    y, x = np.mgrid[0:37, 0:53]
    waves = (np.sin(y / 7) * np.cos(x / 9) + 1) / 2 * (2**bits - 1)
    noise = np.random.default_rng(bits).integers(-3, 4, waves.shape)
    values = (waves + noise).round().clip(0, 2**bits - 1).astype(np.int64)
    kind = f"{'i' if is_signed else 'u'}{1 if bits <= 8 else 2}"
    return (values - 2 ** (bits - 1) if is_signed else values).astype(kind)


@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize("number", ENCODERS)
def test_every_value_comes_back(number: str, is_signed: bool, decoders: DecoderPool) -> None:
    for bits in range(2, 17):
        pixels = picture(bits, is_signed=is_signed)
        unsigned = pixels.view(f"u{pixels.itemsize}") & ((1 << bits) - 1)
        encoded = ENCODERS[number](pixels if number in HAS_SIGN else unsigned, bits)
        dataset = builders.image(pixels, BitsStored=bits, HighBit=bits - 1)
        stream = builders.stream(
            builders.encapsulated(dataset, [bytes(encoded)]), f"1.2.840.10008.1.2.4.{number}"
        )
        values = decode_frame(stream, read_header(stream), 0, decoders).stored_values
        np.testing.assert_array_equal(values, pixels, err_msg=f"{bits} bits")


@pytest.mark.parametrize("number", ["57", "80", "90", "201", "110"])
def test_colours_come_back(number: str, decoders: DecoderPool) -> None:
    channels = [
        picture(8, is_signed=False),
        picture(8, is_signed=False)[::-1],
        picture(8, is_signed=False).T[:37, :37],
    ]
    pixels = np.stack([channel[:37, :37] for channel in channels], axis=-1)
    encoded = bytes(COLOUR_ENCODERS[number](np.ascontiguousarray(pixels)))
    dataset = builders.encapsulated(builders.image(pixels), [encoded])
    stream = builders.stream(dataset, f"1.2.840.10008.1.2.4.{number}")
    frame = decode_frame(stream, read_header(stream), 0, decoders)
    assert frame.photometric_interpretation == "RGB"
    np.testing.assert_array_equal(frame.stored_values, pixels)


COLOUR_ENCODERS: dict[str, Callable[[np.ndarray], bytes]] = {
    "57": lambda pixels: jpeg8_encode(
        pixels, lossless=True, predictor=1, colorspace="RGB", outcolorspace="RGB"
    ),
    "80": lambda pixels: jpegls_encode(pixels),
    "90": lambda pixels: jpeg2k_encode(pixels, level=0, reversible=True, codecformat="j2k"),
    "201": lambda pixels: htj2k_encode(pixels),
    "110": lambda pixels: jpegxl_encode(pixels, lossless=True),
}
