"""From modality values to intensities between 0 and 1: windows and tables (PS3.3 C.11.2)."""

import sys
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from imageserver.dicom.functional_groups import FunctionalGroups, has_value
from imageserver.dicom.lookup_table import LookupTable, read_lookup_table
from imageserver.dicom.number_values import each_number
from imageserver.dicom.sequence_items import items
from imageserver.dicom.text_values import text, texts

_ENOUGH_VALUES = 1_000_000
_HUGE = sys.float_info.max / 4  # two of these have a sum and a difference


class VoiFunction(StrEnum):
    """VOI LUT Function (0028,1056)."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True)
class Window:
    """A window, in the unit of the modality values.

    Attributes
    ----------
    center, width : float
        LINEAR asks for a width of at least 1, the other functions for more than 0.
    function : VoiFunction
    explanation : str or None
        Window Center & Width Explanation (0028,1055).
    """

    center: float
    width: float
    function: VoiFunction = VoiFunction.LINEAR
    explanation: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "center": self.center,
            "width": self.width,
            "function": self.function.value,
            "explanation": self.explanation,
        }


VoiTransform = Window | LookupTable


def read_windows(groups: FunctionalGroups, frame_index: int) -> list[Window]:
    """Read the windows that a file offers for a frame, the default first.

    Parameters
    ----------
    groups : FunctionalGroups
        Of the object.
    frame_index : int
        From 0.

    Returns
    -------
    list of Window
        Windows without a readable center or width, or with a width that is not positive, are left out. LINEAR below a
        width of 1 would turn the image around; such windows, which files with small rescale slopes have, are taken as
        LINEAR_EXACT.
    """
    return [window for window in _places(groups, frame_index) if window is not None]


def is_first_window_unusable(groups: FunctionalGroups, frame_index: int) -> bool:
    """Tell whether the file gives a frame a first window that `read_windows` had to leave out."""
    places = _places(groups, frame_index)
    return bool(places) and places[0] is None


def _places(groups: FunctionalGroups, frame_index: int) -> list[Window | None]:
    """Return for each place of Window Center and Width the window, or None where it cannot be used."""
    source = groups.source("FrameVOILUTSequence", frame_index)
    function = _function(text(source, "VOILUTFunction"))
    centers, widths = each_number(source, "WindowCenter"), each_number(source, "WindowWidth")
    places = max(len(centers), len(widths))
    explanations = texts(source, "WindowCenterWidthExplanation")[:places]
    return [
        None
        if center is None or width is None or width <= 0
        else Window(center, width, suitable_function(function, width), explanation or None)
        for center, width, explanation in zip_longest(centers, widths, explanations)
    ]


def _function(name: str | None) -> VoiFunction:
    name = (name or "").upper()
    return VoiFunction(name) if name in list(VoiFunction) else VoiFunction.LINEAR


def suitable_function(function: VoiFunction, width: float) -> VoiFunction:
    """Return the function itself, or LINEAR_EXACT for a width below 1, where LINEAR is not defined (C.11.2.1.2)."""
    return VoiFunction.LINEAR_EXACT if function is VoiFunction.LINEAR and width < 1 else function


def voi_lut_items(dataset: Dataset, groups: FunctionalGroups, frame_index: int) -> list[Dataset]:
    """Return the items of the VOI LUT Sequence (0028,3010) that holds for a frame.

    It is that of the frame's own macro, where this has one (PS3.3 C.7.6.16.2.10b); that of the data set, unless the
    macro has a window instead.
    """
    macro = groups.find("FrameVOILUTSequence", frame_index)
    if macro is not None and (has_value(macro, "WindowCenter") or items(macro, "VOILUTSequence")):
        return items(macro, "VOILUTSequence")
    return items(dataset, "VOILUTSequence")


def read_voi_lut(sequence: list[Dataset], *, signed: bool) -> LookupTable | None:
    """Read the first usable table of a VOI LUT Sequence, or None; `signed` as in `read_lookup_table`."""
    tables = (read_lookup_table(item, signed=signed) for item in sequence)
    return next((table for table in tables if table is not None), None)


def apply_voi(modality_values: NDArray[Any], voi: VoiTransform) -> NDArray[np.float64]:
    """Map modality values to intensities in [0, 1], by a window or by a table."""
    if isinstance(voi, Window):
        return apply_window(modality_values, voi)
    return apply_voi_lut(modality_values, voi)


def apply_window(modality_values: NDArray[Any], window: Window) -> NDArray[np.float64]:
    """Map modality values to intensities.

    Parameters
    ----------
    modality_values : numpy.ndarray, any real type
        Left as they are.
    window : Window
        Its function decides which of the three formulas holds.

    Returns
    -------
    numpy.ndarray, same shape, float64
        In [0, 1].

    References
    ----------
    DICOM PS3.3 C.11.2.1.2.1, C.11.2.1.3
    """
    values = np.asarray(modality_values, np.float64)
    with np.errstate(
        over="ignore"
    ):  # far outside a window everything runs to infinity, which is black or white
        if window.function is VoiFunction.SIGMOID:
            return _sigmoid(values, window)
        if window.function is VoiFunction.LINEAR_EXACT:
            return _linear_exact(values, window)
        return _linear(values, window)


def _linear(values: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    """C.11.2.1.2.1: the ramp is one value shorter than the width."""
    if window.width <= 1:  # the ramp has no length: a threshold
        return (values > window.center - 0.5).astype(np.float64)
    return np.clip((values - (window.center - 0.5)) / (window.width - 1.0) + 0.5, 0.0, 1.0)


def _linear_exact(values: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    """C.11.2.1.3.2."""
    return np.clip((values - window.center) / window.width + 0.5, 0.0, 1.0)


def _sigmoid(values: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    """C.11.2.1.3.1."""
    return np.asarray(1.0 / (1.0 + np.exp(-4.0 * (values - window.center) / window.width)))


def apply_voi_lut(modality_values: NDArray[Any], table: LookupTable) -> NDArray[np.float64]:
    """Map modality values to intensities by a table.

    Parameters
    ----------
    modality_values : numpy.ndarray, any real type
        Left as they are.
    table : LookupTable
        Its bits tell which entry is white.

    Returns
    -------
    numpy.ndarray, same shape, float64
        In [0, 1].

    References
    ----------
    DICOM PS3.3 C.11.2.1.1
    """
    return np.minimum(table.apply(modality_values) / float((1 << table.bits) - 1), 1.0)


def thin_out(values: NDArray[Any]) -> NDArray[Any]:
    """Return some of many values, for statistics: one of each so many, with the smallest and the largest.

    Parameters
    ----------
    values : numpy.ndarray, any real type
        Left as they are.

    Returns
    -------
    numpy.ndarray, shape (n,)
        All values where there are not many; never more than two million and two, whatever the size of the image.
    """
    flat = values.ravel()
    if flat.size < 2 * _ENOUGH_VALUES:
        return flat
    return np.concatenate([flat[:: flat.size // _ENOUGH_VALUES], [flat.min(), flat.max()]]).astype(
        values.dtype
    )


def guess_window(modality_values: NDArray[Any]) -> Window | None:
    """Choose a window for a frame whose file has none: from the 0.5th to the 99.5th percentile.

    Parameters
    ----------
    modality_values : numpy.ndarray, any real type
        Without padding.

    Returns
    -------
    Window or None
        From darkest to brightest where the percentiles are equal, as in masks; None where all values are equal, or
        there are none.
    """
    finite = modality_values
    if modality_values.dtype.kind == "f":
        finite = modality_values[np.isfinite(modality_values)].astype(np.float64).clip(-_HUGE, _HUGE)
    if not finite.size:
        return None
    low, high = (float(value) for value in np.percentile(finite, (0.5, 99.5)))
    if low == high:
        low, high = float(finite.min()), float(finite.max())
    if low == high:
        return None
    return Window((low + high) / 2, high - low, VoiFunction.LINEAR_EXACT)
