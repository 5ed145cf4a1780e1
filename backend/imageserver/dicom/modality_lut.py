"""From stored values to modality values: HU for CT (PS3.3 C.11.1)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.lookup_table import LookupTable, read_lookup_table
from imageserver.dicom.reading import Header
from imageserver.dicom.values import first_item, number


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
        The table of the Modality LUT Sequence, else slope and intercept; where both are missing the identity. A slope
        of 0 would make every image flat, and counts as missing.
    """
    item = first_item(header.dataset, "ModalityLUTSequence")
    is_signed = header.image is not None and header.image.is_signed
    table = read_lookup_table(item, signed=is_signed) if item is not None else None
    if table is not None:
        return table
    source = groups.source("PixelValueTransformationSequence", frame_index)
    return Rescale(number(source, "RescaleSlope") or 1.0, number(source, "RescaleIntercept") or 0.0)


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
    return stored_values * np.float64(transform.slope) + transform.intercept
