"""Names of directions in the patient: letters at the edges of a picture, names of planes (PS3.3 C.7.6.1.1.1)."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from imageserver.dicom.geometry import Orientation, plane_normal

# A direction gets a second or third letter from 5 degrees on; below, the letter would only restate rounding.
_LETTER_THRESHOLD = float(np.sin(np.radians(5)))
_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))
_QUADRUPED_CODES = (("LE", "RT"), ("D", "V"), ("CR", "CD"))
_HUMAN_LETTERS = re.compile(r"[LRAPHF]{1,3}")
_QUADRUPED_TEXT = re.compile(r"(?:LE|RT|CR|CD|PR|DI|PA|PL|D|V|R|M|L)+")
_QUADRUPED_CODE = re.compile(r"LE|RT|CR|CD|PR|DI|PA|PL|D|V|R|M|L")
_OPPOSITE = dict(zip("LRPAHF", "RLAPFH", strict=True))
_QUADRUPED_OPPOSITE = {
    "LE": "RT", "RT": "LE", "D": "V", "V": "D", "CR": "CD", "CD": "CR", "R": "CD",
    "M": "L", "L": "M", "PR": "DI", "DI": "PR", "PA": "D", "PL": "D",
}  # fmt: skip


class OrientationLabels(NamedTuple):
    """Which side of the patient lies at each edge of the image."""

    left: str
    right: str
    top: str
    bottom: str

    def as_dict(self) -> dict[str, str]:
        """JSON form."""
        return self._asdict()


def direction_letters(direction: Sequence[float], *, is_quadruped: bool = False) -> str:
    """Name a direction by the sides of the patient it points to, the strongest first: "L", "PH", …

    Animals have codes of their own: x grows to the left (LE), y to the back (D), z to the head (CR).

    References
    ----------
    DICOM PS3.3 C.7.6.1.1.1, C.7.6.2.1.1
    """
    strongest_first = sorted(range(3), key=lambda axis: -abs(direction[axis]))
    names = _QUADRUPED_CODES if is_quadruped else _LETTERS
    letters = [
        names[axis][0 if direction[axis] > 0 else 1]
        for axis in strongest_first
        if abs(direction[axis]) >= _LETTER_THRESHOLD
    ]
    return "".join(letters)


def orientation_labels(
    orientation: Orientation | None,
    patient_orientation: tuple[str, str] | None = None,
    *,
    is_quadruped: bool = False,
) -> OrientationLabels | None:
    """Say which side of the patient lies at each edge of the image.

    Parameters
    ----------
    orientation : tuple of 6 float or None
        Image Orientation (Patient).
    patient_orientation : tuple of 2 str or None
        Patient Orientation (0020,0020), for projections that have no cosines: where rows and columns point
        to.
    is_quadruped : bool
        Anatomical Orientation Type (0010,2210) is QUADRUPED.

    Returns
    -------
    OrientationLabels or None
        None where the file says neither, or in no code of the standard.
    """
    if orientation is not None:
        right = direction_letters(orientation[:3], is_quadruped=is_quadruped)
        bottom = direction_letters(orientation[3:], is_quadruped=is_quadruped)
    elif patient_orientation is not None:
        right, bottom = patient_orientation
    else:
        return None
    if not is_quadruped and _HUMAN_LETTERS.fullmatch(right) and _HUMAN_LETTERS.fullmatch(bottom):
        left, top = ("".join(map(_OPPOSITE.__getitem__, text)) for text in (right, bottom))
        return OrientationLabels(left, right, top, bottom)
    # Codes such as LE\D can only be those of animals, also where the file forgets to say so.
    if not (_QUADRUPED_TEXT.fullmatch(right) and _QUADRUPED_TEXT.fullmatch(bottom)):
        return None
    return OrientationLabels(_opposite_codes(right), right, _opposite_codes(bottom), bottom)


def _opposite_codes(text: str) -> str:
    """Turn each code of animals round: rostral faces caudal, palmar and plantar face dorsal."""
    return "".join(_QUADRUPED_OPPOSITE[code] for code in _QUADRUPED_CODE.findall(text))


def plane_name(orientation: Orientation) -> str:
    """Name the nearest anatomical plane: axial, coronal or sagittal, "oblique …" from 20 degrees on."""
    normal = np.abs(plane_normal(orientation))
    axis = int(np.argmax(normal))
    name = ("sagittal", "coronal", "axial")[axis]
    return name if normal[axis] > np.cos(np.radians(20)) else f"oblique {name}"
