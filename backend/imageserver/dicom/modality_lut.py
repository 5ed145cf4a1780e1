"""From stored values to modality values: HU for CT (PS3.3 C.11.1)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.functional_groups import FunctionalGroups, has_value
from imageserver.dicom.limits import Finding
from imageserver.dicom.lookup_table import LookupTable, read_lookup_table
from imageserver.dicom.number_values import number
from imageserver.dicom.reading import Header
from imageserver.dicom.sequence_items import first_item, items
from imageserver.dicom.text_values import text

UNREADABLE_RESCALE = "unreadable_rescale"
UNUSABLE_MODALITY_LUT = "unusable_modality_lut"

# X-ray angiography and radiofluoroscopy: their Modality LUT leads back from LOG or DISP to the linear X-ray intensity
# and is no part of displaying (PS3.3 C.8.7.1.1.2; PS3.17 FFF.2.3.1.3.4 says the same of the enhanced objects).
MODALITY_LUT_NOT_FOR_DISPLAY = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.12.1",  # X-Ray Angiographic Image Storage
        "1.2.840.10008.5.1.4.1.1.12.1.1",  # Enhanced XA Image Storage
        "1.2.840.10008.5.1.4.1.1.12.2",  # X-Ray Radiofluoroscopic Image Storage
        "1.2.840.10008.5.1.4.1.1.12.2.1",  # Enhanced XRF Image Storage
        "1.2.840.10008.5.1.4.1.1.12.3",  # X-Ray Angiographic Bi-Plane Image Storage (retired)
    }
)


@dataclass(frozen=True)
class Rescale:
    """Modality value = slope x stored value + intercept."""

    slope: float = 1.0
    intercept: float = 0.0

    @property
    def is_identity(self) -> bool:
        """Whether the values stay as they are."""
        return self.slope == 1 and self.intercept == 0


ModalityTransform = Rescale | LookupTable


def read_modality_transform(header: Header, groups: FunctionalGroups, frame_index: int) -> ModalityTransform:
    """Read what turns stored values of a frame into modality values.

    Parameters
    ----------
    header : Header
        Of an object with pixel data.
    groups : FunctionalGroups
        Of the same object.
    frame_index : int
        From 0.

    Returns
    -------
    Rescale or LookupTable
        The table of the Modality LUT Sequence, unless it is not for display; else slope and intercept; where both are
        missing the identity. A slope of 0 would make every image flat, and counts as missing: `modality_findings`
        tells.
    """
    table = _read_table(header)
    if table is not None:
        return table
    source = groups.source("PixelValueTransformationSequence", frame_index)
    return Rescale(number(source, "RescaleSlope") or 1.0, number(source, "RescaleIntercept") or 0.0)


def modality_findings(header: Header, groups: FunctionalGroups, frame_index: int) -> list[Finding]:
    """Tell what `read_modality_transform` had to leave out of what the file says; parameters as there."""
    table = _read_table(header)
    if table is not None:
        return []
    found = []
    if items(header.dataset, "ModalityLUTSequence") and _is_for_display(header):
        found.append(
            Finding(UNUSABLE_MODALITY_LUT, "The Modality LUT in the file is damaged and was not applied.")
        )
    source = groups.source("PixelValueTransformationSequence", frame_index)
    is_unreadable = has_value(source, "RescaleSlope") and not number(source, "RescaleSlope")
    if is_unreadable or (
        has_value(source, "RescaleIntercept") and number(source, "RescaleIntercept") is None
    ):
        message = (
            "Rescale Slope in the file is 0, or slope or intercept cannot be read; that was not applied, "
            "and the values may not be in the unit that the window is meant for, such as HU."
        )
        found.append(Finding(UNREADABLE_RESCALE, message))
    return found


def _is_for_display(header: Header) -> bool:
    return text(header.dataset, "SOPClassUID") not in MODALITY_LUT_NOT_FOR_DISPLAY


def _read_table(header: Header) -> LookupTable | None:
    item = first_item(header.dataset, "ModalityLUTSequence")
    if item is None or not _is_for_display(header):
        return None
    is_signed = header.image is not None and header.image.is_signed
    return read_lookup_table(item, signed=is_signed)


def may_be_negative(transform: ModalityTransform, header: Header) -> bool:
    """Tell whether modality values can be negative, so that a VOI LUT may begin there (PS3.3 C.11.2.1.1)."""
    if isinstance(transform, LookupTable):
        return False
    is_signed = header.image is not None and header.image.is_signed
    return is_signed or transform.intercept < 0 or transform.slope < 0


def apply_modality_lut(stored_values: NDArray[Any], transform: ModalityTransform) -> NDArray[Any]:
    """Turn stored values into modality values.

    Parameters
    ----------
    stored_values : numpy.ndarray, any real type
        Left as they are.
    transform : Rescale or LookupTable
        What `read_modality_transform` found.

    Returns
    -------
    numpy.ndarray, same shape
        float64 after a rescale, uint16 after a table; `stored_values` themselves for the identity.

    References
    ----------
    DICOM PS3.3 C.11.1.1
    """
    if isinstance(transform, LookupTable):
        return transform.apply(stored_values)
    if transform.is_identity:
        return stored_values
    with np.errstate(over="ignore"):  # floating point pixels near the end of their range run to infinity
        return stored_values * np.float64(transform.slope) + transform.intercept
