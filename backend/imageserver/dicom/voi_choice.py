"""Which VOI transform a picture gets where nobody asked for one: the file's table, its window, or a guess."""

from collections.abc import Callable
from typing import Any, NamedTuple

from numpy.typing import NDArray

from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.limits import Finding
from imageserver.dicom.lookup_table import LookupTable
from imageserver.dicom.modality_lut import ModalityTransform, apply_modality_lut, may_be_negative
from imageserver.dicom.number_values import integer
from imageserver.dicom.reading import Header
from imageserver.dicom.text_values import text
from imageserver.dicom.voi_lut import (
    VoiFunction,
    VoiTransform,
    Window,
    guess_window,
    is_first_window_unusable,
    read_voi_lut,
    read_windows,
    thin_out,
    voi_lut_items,
)

WINDOW_GUESSED = "window_guessed"
WINDOW_UNUSABLE = "window_unusable"
VOI_LUT_UNUSABLE = "voi_lut_unusable"
VOI_LUT_DEPTH = "voi_lut_depth"

DAMAGED_TABLE = Finding(VOI_LUT_UNUSABLE, "The VOI LUT in the file is damaged and was not used.")
FIRST_WINDOW_UNUSABLE = Finding(
    WINDOW_UNUSABLE,
    "The first window in the file cannot be used: its center or width is missing, unreadable or not positive. The next "
    "one that can is used.",
)


class FullRange(Window):
    """From the lowest to the highest value that a mask can have; no window that anybody chose."""


class VoiChoice(NamedTuple):
    """What was chosen, None where nothing can be, and what is to be said about it."""

    voi: VoiTransform | None
    findings: list[Finding]

    @property
    def window(self) -> Window | None:
        """The window to tell of; None for a table, and for the range that a mask has by its nature."""
        return self.voi if isinstance(self.voi, Window) and not isinstance(self.voi, FullRange) else None


def choose_voi(
    header: Header,
    frame_index: int,
    modality: ModalityTransform,
    measured_values: Callable[[], NDArray[Any]],
) -> VoiChoice:
    """Choose the VOI transform of a grey frame.

    Parameters
    ----------
    header : Header
        Of the object.
    frame_index : int
        From 0.
    modality : Rescale or LookupTable
        Of the frame.
    measured_values : callable
        Gives the stored values that a window can be guessed from, without padding and coloured ones; of any shape.

    Returns
    -------
    VoiChoice
        The first usable table of the file, else its first usable window, else the range of a mask, else a window
        guessed from the frame; None where all its values are equal.

    References
    ----------
    DICOM PS3.3 C.11.2
    """
    groups = FunctionalGroups(header.dataset)
    tables = voi_lut_items(header.dataset, groups, frame_index)
    table = read_voi_lut(tables, signed=may_be_negative(modality, header))
    if table is not None:
        return VoiChoice(table, _depth_findings(table))
    findings = [DAMAGED_TABLE] if tables else []
    has_unusable = is_first_window_unusable(groups, frame_index)
    windows = read_windows(groups, frame_index)
    if windows:
        return VoiChoice(windows[0], [*findings, *([FIRST_WINDOW_UNUSABLE] if has_unusable else [])])
    if (mask_range := _range_of_mask(header)) is not None:
        return VoiChoice(mask_range, findings)
    guess = _guess(apply_modality_lut(thin_out(measured_values()), modality), has_unusable)
    return VoiChoice(guess.voi, [*findings, *guess.findings])


def _range_of_mask(header: Header) -> FullRange | None:
    """Return the range of a mask: two values of one bit, or 0 to Maximum Fractional Value (PS3.3 C.8.20.2).

    A guess would show an empty mask in the middle of the greys, and each frame of a segmentation otherwise.
    """
    highest = None
    if text(header.dataset, "SegmentationType") == "FRACTIONAL":
        highest = integer(header.dataset, "MaximumFractionalValue")
    elif header.image is not None and header.image.bits_stored == 1:
        highest = 1
    return FullRange(highest / 2, highest, VoiFunction.LINEAR_EXACT) if highest and highest > 0 else None


def _depth_findings(table: LookupTable) -> list[Finding]:
    """Tell where the brightest entry of a table does not go with the bits that the file says it has."""
    needed = int(table.entries.max()).bit_length()
    if table.declared_bits is None or (table.bits == table.declared_bits and needed >= table.bits):
        return []
    message = (
        f"The VOI LUT in the file says {table.declared_bits} bits, its entries need {needed}; brightness may "
        "not be what was meant."
    )
    return [Finding(VOI_LUT_DEPTH, message)]


def _guess(modality_values: NDArray[Any], has_unusable: bool) -> VoiChoice:
    """Guess a window, and tell whether the file has none or one that is of no use."""
    findings = []
    absence = "The file has no window"
    if has_unusable:
        absence = "The window in the file cannot be used"
        message = f"{absence}: its center is missing or unreadable, or its width is, or is not positive."
        findings.append(Finding(WINDOW_UNUSABLE, message))
    guess = guess_window(modality_values)
    if guess is not None:
        message = f"{absence}; brightness and contrast were chosen from this image."
        findings.append(Finding(WINDOW_GUESSED, message))
    return VoiChoice(guess, findings)
