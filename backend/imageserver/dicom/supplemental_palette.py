"""Grey images of which a range of values is coloured: the Supplemental Palette Color Lookup Table (PS3.3 C.7.6.19)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.limits import Finding
from imageserver.dicom.palette import PaletteTable, look_up, read_palette
from imageserver.dicom.raw_elements import element_of
from imageserver.dicom.text_values import text

PALETTE_UNUSABLE = "palette_unusable"
ENHANCED_PALETTE_IGNORED = "enhanced_palette_ignored"

_COLOURED = ("COLOR", "MIXED")
_FRAME_TYPES = ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence")

Palette = Sequence[PaletteTable]


def read_supplemental_palette(
    dataset: Dataset, groups: FunctionalGroups, frame_index: int, *, signed: bool
) -> tuple[Palette | None, list[Finding]]:
    """Read the palette that colours some values of a grey frame.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Of a grey image.
    groups : FunctionalGroups
        Of the same object: the type of a frame may say that it is monochrome.
    frame_index : int
        From 0.
    signed : bool
        Whether stored values can be negative.

    Returns
    -------
    palette : sequence of PaletteTable, or None
        None where the image, or the frame, has no colours: Pixel Presentation (0008,9205) is neither COLOR nor MIXED.
    findings : list of Finding
        ``palette_unusable`` for one that is missing or damaged, ``enhanced_palette_ignored`` for the palettes of
        several data paths (C.7.6.23), which are not applied.

    References
    ----------
    DICOM PS3.3 C.7.6.19, C.8.16.2 (Pixel Presentation)
    """
    if element_of(dataset, "EnhancedPaletteColorLookupTableSequence") is not None:
        message = (
            "The palettes for several data paths in the file are not applied; the values are shown in grey."
        )
        return None, [Finding(ENHANCED_PALETTE_IGNORED, message)]
    if text(dataset, "PixelPresentation") not in _COLOURED or _is_monochrome(groups, frame_index):
        return None, []
    try:
        return read_palette(dataset, signed=signed), []
    except ValueError:
        message = "The palette that colours a range of values is missing or damaged; they are shown in grey."
        return None, [Finding(PALETTE_UNUSABLE, message)]


def _is_monochrome(groups: FunctionalGroups, frame_index: int) -> bool:
    types = (groups.find(keyword, frame_index) for keyword in _FRAME_TYPES)
    return any(item is not None and text(item, "PixelPresentation") == "MONOCHROME" for item in types)


def is_coloured(stored_values: NDArray[Any], palette: Palette) -> NDArray[np.bool_]:
    """Return which stored values have a colour: from the first value mapped on; same shape."""
    return np.asarray(stored_values >= palette[0].first)


def colour_range(
    display_values: NDArray[np.uint8], stored_values: NDArray[Any], palette: Palette
) -> NDArray[np.uint8]:
    """Colour the values of a grey picture that the palette is for.

    Parameters
    ----------
    display_values : numpy.ndarray, shape (rows, columns), uint8
        The picture; left as it is.
    stored_values : numpy.ndarray, shape (rows, columns), any integer type
        The values that it was made of.
    palette : sequence of PaletteTable
        What `read_supplemental_palette` found.

    Returns
    -------
    numpy.ndarray, shape (rows, columns, 3), uint8
    """
    mask = is_coloured(stored_values, palette)[..., np.newaxis]
    return np.where(mask, look_up(stored_values, palette), display_values[..., np.newaxis])
