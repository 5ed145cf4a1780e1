"""Encodes frames without loss, in the transfer syntaxes that maintained libraries write."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.transfer_syntax import RLE_LOSSLESS

JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.80"
JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"

# Which of pydicom's plugins writes each; GDCM is called nowhere but in the decoder process.
_PLUGINS = {RLE_LOSSLESS: "pydicom", JPEG_LS_LOSSLESS: "pyjpegls", JPEG_2000_LOSSLESS: "pylibjpeg"}
_DEEPEST = {RLE_LOSSLESS: 16, JPEG_LS_LOSSLESS: 16, JPEG_2000_LOSSLESS: 16}


class NotEncodable(ValueError):
    """The encoder has no form for such pixel values."""


@lru_cache(maxsize=1)
def encodable_syntaxes() -> tuple[str, ...]:
    """Return the transfer syntaxes that frames can be encoded in here; one library is not there for every Python."""
    from pydicom.pixels.encoders.base import get_encoder

    return tuple(uid for uid, plugin in _PLUGINS.items() if plugin in get_encoder(uid).available_plugins)


def bits_stored_of(stored_values: NDArray[Any], image: ImagePixel) -> int:
    """Return how many bits decoded values have: those that are stored, unless the stream was deeper than that."""
    size = stored_values.dtype.itemsize
    return 8 * size if size > image.stored_type.itemsize else image.bits_stored


def encode_values(
    stored_values: NDArray[Any], photometric_interpretation: str, bits_stored: int, transfer_syntax_uid: str
) -> bytes:
    """Encode the stored values of one frame without loss.

    Parameters
    ----------
    stored_values : numpy.ndarray, shape (rows, columns) or (rows, columns, samples)
        Integers of 8 or 16 bits.
    photometric_interpretation : str
        Of these values, and of the encoded ones: colours are not transformed.
    bits_stored : int
        Of the values.
    transfer_syntax_uid : str
        One of `encodable_syntaxes`.

    Returns
    -------
    bytes
        Of even length.

    Raises
    ------
    NotEncodable

    References
    ----------
    DICOM PS3.5 8.2.3, 8.2.4, A.4, G
    """
    from pydicom.pixels.encoders.base import get_encoder

    bits = 8 * stored_values.dtype.itemsize
    if stored_values.dtype.kind not in "iu" or bits > _DEEPEST[transfer_syntax_uid]:
        raise NotEncodable(f"values of {stored_values.dtype} have no form in it")
    try:
        encoded = get_encoder(transfer_syntax_uid).encode(
            np.ascontiguousarray(stored_values),
            encoding_plugin=_PLUGINS[transfer_syntax_uid],
            rows=stored_values.shape[0],
            columns=stored_values.shape[1],
            samples_per_pixel=stored_values.shape[2] if stored_values.ndim == 3 else 1,
            number_of_frames=1,
            bits_allocated=bits,
            bits_stored=bits_stored,
            pixel_representation=int(stored_values.dtype.kind == "i"),
            photometric_interpretation=photometric_interpretation,
            planar_configuration=0,
        )
    except (ValueError, RuntimeError, NotImplementedError, AttributeError) as error:
        raise NotEncodable(f"the encoder refuses it ({type(error).__name__})") from error
    return encoded + b"\0" * (len(encoded) % 2)
