"""Colour images: from stored samples to RGB of 8 bits."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset

from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.limits import Finding
from imageserver.dicom.palette import apply_palette
from imageserver.dicom.presentation import reduce_to_8_bit
from imageserver.dicom.raw_elements import element_of
from imageserver.dicom.sequence_items import items

ICC_PROFILE_IGNORED = "icc_profile_ignored"

_FULL_RANGE = frozenset({"YBR_FULL", "YBR_FULL_422"})
_PARTIAL_RANGE = frozenset({"YBR_PARTIAL_422", "YBR_PARTIAL_420"})


def to_rgb(
    stored_values: NDArray[Any], photometric_interpretation: str, image: ImagePixel, dataset: Dataset
) -> NDArray[np.uint8]:
    """Turn the stored samples of a frame into RGB.

    Parameters
    ----------
    stored_values : numpy.ndarray, shape (rows, columns) or (rows, columns, samples)
        Left as they are.
    photometric_interpretation : str
        Of these values.
    image : ImagePixel
        For bits stored.
    dataset : pydicom.Dataset
        For the palette.

    Returns
    -------
    numpy.ndarray, shape (rows, columns, 3), uint8

    Raises
    ------
    ValueError
        If the colour space is unknown, the palette unusable, or the values have too few samples.

    References
    ----------
    DICOM PS3.3 C.7.6.3.1.2
    """
    if photometric_interpretation == "PALETTE COLOR":
        return apply_palette(stored_values, dataset, signed=image.is_signed)
    if stored_values.ndim != 3 or stored_values.shape[2] < 3 or stored_values.dtype.kind == "f":
        raise ValueError("its pixels are no samples of a colour")
    unsigned = stored_values.view(f"u{stored_values.dtype.itemsize}")
    samples = reduce_to_8_bit(unsigned, _bits_of(unsigned, image))
    if photometric_interpretation in _FULL_RANGE:
        return _from_full_range(samples)
    if photometric_interpretation in _PARTIAL_RANGE:
        return _from_partial_range(samples)
    if photometric_interpretation == "RGB" or photometric_interpretation.startswith("YBR_"):
        return samples[..., :3]  # decoders give YBR_RCT and YBR_ICT as RGB
    raise ValueError(f"its colour space {photometric_interpretation[:16]!r} is not supported")


def profile_findings(dataset: Dataset) -> list[Finding]:
    """Say that a colour profile is not applied: of the image, or of an optical path (PS3.3 C.11.15, C.8.12.5)."""
    paths = items(dataset, "OpticalPathSequence")
    if not any(element_of(part, "ICCProfile") for part in (dataset, *paths)):
        return []
    return [Finding(ICC_PROFILE_IGNORED, "The colour profile in the file is not applied.")]


def _bits_of(samples: NDArray[Any], image: ImagePixel) -> int:
    """Return how many bits samples have: those stored, unless the decoder found others in the stream."""
    if samples.dtype.itemsize > image.stored_type.itemsize:
        return max(image.bits_stored, int(samples.max()).bit_length())
    return min(image.bits_stored, 8 * samples.dtype.itemsize)


def _from_full_range(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert YCbCr of full range, the colour space of JFIF, which Pillow does in one pass."""
    picture = Image.frombytes(
        "YCbCr", (samples.shape[1], samples.shape[0]), np.ascontiguousarray(samples).tobytes()
    )
    return np.asarray(picture.convert("RGB"))


def _from_partial_range(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert YCbCr with black at 16 and white at 235 (ITU-R BT.601)."""
    y, cb, cr = (samples[..., i].astype(np.float32) for i in range(3))
    luma = 1.1644 * (y - 16)
    rgb = (
        luma + 1.5960 * (cr - 128),
        luma - 0.3917 * (cb - 128) - 0.8129 * (cr - 128),
        luma + 2.0173 * (cb - 128),
    )
    return np.clip(np.stack(rgb, axis=-1) + 0.5, 0, 255).astype(np.uint8)
