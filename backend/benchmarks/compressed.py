"""One frame of 512 x 512 pixels and 12 bits in every transfer syntax, with noise as a scanner has it."""

import io
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from imagecodecs import htj2k_encode, jpeg8_encode, jpegls_encode, jpegxl_encode
from numpy.typing import NDArray
from PIL import Image
from pydicom.pixels.encoders.base import RLELosslessEncoder

from tests.builders import encapsulated, image, to_bytes

DIAMETER = 512
Pixels = NDArray[np.unsignedinteger]


def write_compressed(folder: Path) -> dict[str, Path]:
    """Write a file for each transfer syntax; the last parts of its UID, and the path."""
    folder.mkdir()
    pixels = _pixels()
    paths = {}
    for number, encode in _ENCODERS.items():
        is_8_bit = number in _OF_8_BITS
        values = (pixels >> 4).astype(np.uint8) if is_8_bit else pixels
        paths[number] = folder / f"{number}.dcm"
        bits = 8 if is_8_bit else 12
        dataset = encapsulated(image(values, BitsStored=bits, HighBit=bits - 1), [bytes(encode(values))])
        paths[number].write_bytes(to_bytes(dataset, f"1.2.840.10008.1.2.{number}"))
    return paths


def _pixels() -> Pixels:
    random = np.random.default_rng(7)
    y, x = np.mgrid[-1:1:512j, -1:1:512j]
    body = np.where(x**2 + (y * 1.2) ** 2 < 0.7, 1064, 24)
    return (body + 300 + random.normal(0, 20, (DIAMETER, DIAMETER))).clip(0, 4095).astype(np.uint16)


def _pillow(kind: str, **options: object) -> Callable[[Pixels], bytes]:
    def encode(pixels: Pixels) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, kind, **options)
        return buffer.getvalue()

    return encode


def _rle(pixels: Pixels) -> bytes:
    return RLELosslessEncoder.encode(
        pixels.tobytes(), rows=DIAMETER, columns=DIAMETER, number_of_frames=1, samples_per_pixel=1,
        bits_allocated=16, bits_stored=12, pixel_representation=0, photometric_interpretation="MONOCHROME2",
        encoding_plugin="pydicom",
    )  # fmt: skip


_OF_8_BITS = ("4.50", "4.55")
_ENCODERS: dict[str, Callable[[Pixels], bytes]] = {
    "4.50": _pillow("JPEG", quality=95),
    "4.51": lambda pixels: jpeg8_encode(pixels, level=95, bitspersample=12),
    "4.55": _pillow("JPEG", quality=95, progressive=True),
    "4.57": lambda pixels: jpeg8_encode(pixels, lossless=True, bitspersample=12, predictor=4),
    "4.70": lambda pixels: jpeg8_encode(pixels, lossless=True, bitspersample=12, predictor=1),
    "4.80": jpegls_encode,
    "4.90": _pillow("JPEG2000", no_jp2=True, irreversible=False),
    "4.91": _pillow("JPEG2000", no_jp2=True, irreversible=True, quality_mode="rates", quality_layers=[4]),
    "4.110": lambda pixels: jpegxl_encode(pixels, lossless=True, bitspersample=12, numthreads=1),
    "4.201": htj2k_encode,
    "5": _rle,
    "8.1": lambda pixels: zlib.compress(pixels.tobytes(), wbits=-15),
}
