"""Colour profiles in rendered pictures (PS3.18 8.3.5.1.5, PS3.3 C.11.15)."""

import io
import struct
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from pydicom.dataset import Dataset

from imageserver.dicom.raw_elements import raw_bytes
from imageserver.dicom.sequence_items import items
from imageserver.errors import InvalidParameter

_CREATED = slice(24, 36)  # date and time in the header of a profile (ICC.1, 7.2.8)
_DATE = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
_HEADER_LENGTH = 128
_COLOUR_SPACE, _SIGNATURE = slice(16, 20), slice(36, 40)
_LARGEST_PROFILE = 1024 * 1024


class ColourProfile(StrEnum):
    """Which profile a picture carries: none, that of the file, or sRGB with the colours converted to it."""

    NO = "no"
    YES = "yes"
    SRGB = "srgb"


class ProfiledPicture(NamedTuple):
    """A picture, and the profile to embed in it."""

    display_values: NDArray[np.uint8]
    profile: bytes | None


def apply_profile(
    display_values: NDArray[np.uint8], wanted: ColourProfile, dataset: Dataset
) -> ProfiledPicture:
    """Attach a colour profile to a picture.

    Parameters
    ----------
    display_values : numpy.ndarray, shape (rows, columns) or (rows, columns, 3), uint8
        Left as they are.
    wanted : ColourProfile
        For `YES` the profile of the file, or sRGB where it has none; grey pictures have no profile of their own and
        become RGB with sRGB, because a profile of RGB belongs to no grey picture.
    dataset : pydicom.Dataset
        Of the image.

    Returns
    -------
    ProfiledPicture

    Raises
    ------
    imageserver.errors.InvalidParameter
        If the profile of the file cannot be used.

    References
    ----------
    DICOM PS3.18 8.3.5.1.5; PS3.3 C.11.15
    """
    if wanted is ColourProfile.NO:
        return ProfiledPicture(display_values, None)
    if display_values.ndim == 2:
        return ProfiledPicture(np.repeat(display_values[..., np.newaxis], 3, axis=2), srgb_profile())
    own = profile_of(dataset)
    if own is None:
        return ProfiledPicture(display_values, srgb_profile())
    if wanted is ColourProfile.YES:
        return ProfiledPicture(display_values, own)
    return ProfiledPicture(_to_srgb(display_values, own), srgb_profile())


def profile_of(dataset: Dataset) -> bytes | None:
    """Return the ICC Profile (0028,2000) of the image, else of its first optical path; None where there is none."""
    for part in (dataset, *items(dataset, "OpticalPathSequence")[:1]):
        found = raw_bytes(part, "ICCProfile")
        if found:
            return found
    return None


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """Return the profile of sRGB; always the same bytes, so that equal pictures are equal in all processes."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[: _CREATED.start] + _DATE + made[_CREATED.stop :]


def _to_srgb(display_values: NDArray[np.uint8], own: bytes) -> NDArray[np.uint8]:
    if len(own) > _LARGEST_PROFILE:
        raise InvalidParameter("Not acceptable: iccprofile. The profile in the file is too large.")
    if not _is_rgb_profile(own):
        raise InvalidParameter(
            "Not acceptable: iccprofile. What the file has is no profile of RGB; `yes` embeds it as it is."
        )
    picture = Image.fromarray(np.ascontiguousarray(display_values))
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(own))
        target = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
        converted = ImageCms.profileToProfile(picture, source, target)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        raise InvalidParameter(
            "Not acceptable: iccprofile. The profile in the file cannot be used; `yes` embeds it as it is."
        ) from error
    assert converted is not None
    return np.asarray(converted)


def _is_rgb_profile(profile: bytes) -> bool:
    """Tell whether the header is that of a whole profile of RGB: the library is given nothing else (ICC.1, 7.2)."""
    length = int.from_bytes(profile[:4], "big")
    is_whole = _HEADER_LENGTH <= length <= len(profile)
    return is_whole and profile[_SIGNATURE] == b"acsp" and profile[_COLOUR_SPACE] == b"RGB "
