"""A picture of a plane that was cut from slices: the grey pipeline after the modality LUT (PS3.4 N.2)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.lookup_table import LookupTable
from imageserver.dicom.modality_lut import read_modality_transform
from imageserver.dicom.padding import read_padding, without_padding
from imageserver.dicom.presentation import MID_GREY, apply_polarity, to_8_bit
from imageserver.dicom.reading import Header
from imageserver.dicom.reslicing import Values
from imageserver.dicom.voi_choice import WINDOW_GUESSED, VoiChoice, choose_voi
from imageserver.dicom.voi_lut import (
    VoiFunction,
    Window,
    apply_voi,
    guess_window,
    read_windows,
    suitable_function,
)


@dataclass(frozen=True)
class Presentation:
    """How the pictures of a volume are drawn; read from its middle slice.

    Attributes
    ----------
    photometric_interpretation : str
        MONOCHROME1 or MONOCHROME2.
    choice : VoiChoice
        Where nobody asks for a window.
    function : VoiFunction
        Of windows that somebody asks for: that of the file's own (PS3.3 C.11.2.1.2).
    """

    photometric_interpretation: str
    choice: VoiChoice
    function: VoiFunction

    @property
    def is_guessed(self) -> bool:
        """Whether the window of `choice` was chosen from the pixels."""
        return any(finding.code == WINDOW_GUESSED for finding in self.choice.findings)

    def window(self, center: float, width: float) -> Window:
        """Return the window that somebody asks for."""
        return Window(center, width, suitable_function(self.function, width))


def read_presentation(header: Header, frame_index: int, stored_values: NDArray[np.generic]) -> Presentation:
    """Read how a slice is drawn.

    Parameters
    ----------
    header : Header
        Of a grey object.
    frame_index : int
        From 0.
    stored_values : numpy.ndarray, shape (rows, columns)
        Of the frame, for a guess where the file has no window.
    """
    assert header.image is not None
    groups, padding = FunctionalGroups(header.dataset), read_padding(header)
    modality = read_modality_transform(header, groups, frame_index)
    choice = choose_voi(header, frame_index, modality, lambda: without_padding(stored_values, padding))
    windows = read_windows(groups, frame_index)
    function = windows[0].function if windows else VoiFunction.LINEAR
    return Presentation(header.image.photometric_interpretation, choice, function)


def render_plane(
    values: Values, presentation: Presentation, window: Window | None = None
) -> tuple[NDArray[np.uint8], Window | None]:
    """Draw a plane.

    Parameters
    ----------
    values : numpy.ndarray, shape (rows, columns), float64
        Modality values; NaN where there are none, which is drawn black.
    presentation : Presentation
        Of the volume.
    window : Window, optional
        Instead of the file's own.

    Returns
    -------
    numpy.ndarray, shape (rows, columns), uint8
    Window or None
        The window that was used; None for a table and for the range of a mask.
    """
    voi = window or presentation.choice.voi or guess_window(values)
    if voi is None:
        return np.where(np.isnan(values), 0, MID_GREY).astype(np.uint8), None
    # A table has entries for whole numbers; between two voxels there are others.
    intensities = apply_voi(np.rint(values) if isinstance(voi, LookupTable) else values, voi)
    picture = to_8_bit(apply_polarity(intensities, presentation.photometric_interpretation))
    picture[np.isnan(values)] = 0
    return picture, window or presentation.choice.window
