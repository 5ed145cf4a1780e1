"""From intensities to the 8 bits of a picture."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from imageserver.dicom.limits import Finding
from imageserver.dicom.sequence_items import items
from imageserver.dicom.text_values import text

MID_GREY = 128
POLARITY_CONTRADICTION = "polarity_contradiction"
PRESENTATION_LUT_IGNORED = "presentation_lut_ignored"


def apply_polarity(intensities: NDArray[np.float64], photometric_interpretation: str) -> NDArray[np.float64]:
    """Turn intensities around where the lowest value is to be white.

    Presentation LUT Shape says the same a second time, and is not applied again: see `presentation_findings`.

    Parameters
    ----------
    intensities : numpy.ndarray, float64
        In [0, 1], after the VOI LUT.
    photometric_interpretation : str
        MONOCHROME1, or anything else.

    Returns
    -------
    numpy.ndarray, same shape, float64

    References
    ----------
    DICOM PS3.3 C.7.6.3.1.2
    """
    return 1.0 - intensities if photometric_interpretation == "MONOCHROME1" else intensities


def presentation_findings(dataset: Dataset, photometric_interpretation: str) -> list[Finding]:
    """Tell where the presentation LUT of a grey image is not what the picture shows.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Of the image.
    photometric_interpretation : str
        MONOCHROME1 or MONOCHROME2.

    Returns
    -------
    list of Finding
        ``polarity_contradiction`` where Presentation LUT Shape (2050,0020) contradicts the photometric interpretation:
        IDENTITY belongs to MONOCHROME2, INVERSE to MONOCHROME1. ``presentation_lut_ignored`` for a Presentation LUT
        Sequence (2050,0010), which stands in presentation states and print objects, not in images.

    References
    ----------
    DICOM PS3.3 C.7.6.1, C.8.11.3.1.2, C.11.6
    """
    shape = text(dataset, "PresentationLUTShape")
    belongs_to = {"IDENTITY": "MONOCHROME2", "INVERSE": "MONOCHROME1"}.get(shape or "")
    found = []
    if belongs_to is not None and belongs_to != photometric_interpretation:
        message = (
            f"Presentation LUT Shape is {shape}, which contradicts {photometric_interpretation}; the latter decides "
            "about black and white."
        )
        found.append(Finding(POLARITY_CONTRADICTION, message))
    if items(dataset, "PresentationLUTSequence"):
        found.append(
            Finding(
                PRESENTATION_LUT_IGNORED, "The presentation LUT in the file is not for images; not applied."
            )
        )
    return found


def to_8_bit(intensities: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale intensities in [0, 1] to 0 … 255, rounding half up; what is not a number is black.

    Parameters
    ----------
    intensities : numpy.ndarray, any real type
        Left as they are.

    Returns
    -------
    numpy.ndarray, same shape, uint8
    """
    scaled = np.nan_to_num(intensities * 255.0 + 0.5, nan=0.0)
    return np.asarray(np.floor(scaled).astype(np.uint8))


def reduce_to_8_bit(values: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Bring unsigned colour samples of so many bits to 8.

    Parameters
    ----------
    values : numpy.ndarray, any unsigned type
        Left as they are.
    bits : int
        Bits stored.

    Returns
    -------
    numpy.ndarray, same shape, uint8
    """
    if bits == 8:
        return values.astype(np.uint8, copy=False)
    if bits > 8:
        return (values >> (bits - 8)).astype(np.uint8)
    return to_8_bit(values / float((1 << bits) - 1))
