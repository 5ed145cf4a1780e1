"""From intensities to the 8 bits of a picture."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MID_GREY = 128


def apply_polarity(intensities: NDArray[np.float64], photometric_interpretation: str) -> NDArray[np.float64]:
    """Turn intensities around where the lowest value is to be white.

    Presentation LUT Shape says the same a second time (INVERSE goes with MONOCHROME1 alone), and is not applied again.

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
