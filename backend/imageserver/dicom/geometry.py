"""Planes in the patient (PS3.3 C.7.6.2).

Axes are LPS in mm: x to the patient's left, y to the back, z to the head.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Position = tuple[float, float, float]
Orientation = tuple[float, float, float, float, float, float]

# Files round their cosines; within 1e-2 they are taken as they are, within 0.1 they still say what was meant.
_UNIT_TOLERANCE = 1e-2
_USABLE_TOLERANCE = 0.1
# Positions are on one line if they are off it by no more than this, as rounding leaves them.
_LINE_TOLERANCE_MM = 0.1
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


def is_valid_orientation(orientation: Orientation) -> bool:
    """Tell whether these six cosines are two unit vectors at a right angle."""
    return _deviation(orientation) < _UNIT_TOLERANCE


@lru_cache(maxsize=1024)
def corrected_orientation(orientation: Orientation) -> Orientation | None:
    """Return the nearest pair of axes: unit vectors, the columns at a right angle to the rows.

    Returns
    -------
    tuple of 6 float or None
        The same values where they are a pair of axes; None where they are too far from one (lengths off by
        10 %, an angle off by 6 degrees) to tell what was meant.

    References
    ----------
    DICOM PS3.3 C.7.6.2.1.1: the vectors shall be orthogonal and of unit length
    """
    deviation = _deviation(orientation)
    if deviation < _UNIT_TOLERANCE:
        return orientation
    if not deviation < _USABLE_TOLERANCE:
        return None
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    row = row / np.linalg.norm(row)
    column = column - (column @ row) * row
    column = column / np.linalg.norm(column)
    x, y, z, u, v, w = (float(value) for value in (*row, *column))
    return (x, y, z, u, v, w)


def _deviation(orientation: Orientation) -> float:
    """Return how far the cosines are from two unit vectors at a right angle."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    lengths = np.array([np.linalg.norm(row), np.linalg.norm(column)])
    return float(max(*abs(lengths - 1), abs(row @ column)))


def line_through(positions: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the direction of the line on which positions lie.

    Parameters
    ----------
    positions : numpy.ndarray, shape (n, 3), mm
        Image Position (Patient) of each slice.

    Returns
    -------
    numpy.ndarray, shape (3,), or None
        A unit vector whose largest component is positive, towards head, left or back; None where the
        positions are one point or do not lie on a line.
    """
    offsets = positions - positions.mean(axis=0)
    direction = np.linalg.svd(offsets, full_matrices=False)[2][0]
    along = offsets @ direction
    beside = np.linalg.norm(offsets - np.outer(along, direction), axis=1)
    if np.ptp(along) <= _LINE_TOLERANCE_MM or beside.max() > _LINE_TOLERANCE_MM:
        return None
    return np.asarray(direction * np.sign(direction[np.argmax(np.abs(direction))]))


def plane_normal(orientation: Sequence[float]) -> NDArray[np.float64]:
    """Return the unit normal of a plane: row cosines x column cosines.

    Parameters
    ----------
    orientation : sequence of 6 float
        Image Orientation (Patient).

    Returns
    -------
    numpy.ndarray, shape (3,), float64

    References
    ----------
    DICOM PS3.3 C.7.6.2.1.1
    """
    normal = np.cross(np.array(orientation[:3], np.float64), np.array(orientation[3:], np.float64))
    length = np.linalg.norm(normal)
    return np.asarray(normal / length) if length else normal


def project(positions: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each position along the normal.

    Parameters
    ----------
    positions : numpy.ndarray, shape (n, 3), mm
        Image Position (Patient) of each slice.
    normal : numpy.ndarray, shape (3,)
        Unit vector.

    Returns
    -------
    numpy.ndarray, shape (n,), mm
    """
    return np.asarray(positions @ normal)


def affine(
    position: Position,
    orientation: Orientation,
    row_spacing_mm: float,
    column_spacing_mm: float,
    step: Sequence[float],
) -> NDArray[np.float64]:
    """Return the matrix that takes (column, row, slice) indices to patient coordinates.

    Parameters
    ----------
    position : tuple of 3 float, mm
        Centre of the first pixel of the first slice.
    orientation : tuple of 6 float
        Cosines of the rows, and of the columns.
    row_spacing_mm, column_spacing_mm : float
        Distance between rows, and between columns.
    step : sequence of 3 float, mm
        From one slice to the next.

    Returns
    -------
    numpy.ndarray, shape (4, 4), float64

    References
    ----------
    DICOM PS3.3 equation C.7.6.2.1-1
    """
    matrix = np.eye(4)
    matrix[:3, 0] = np.array(orientation[:3]) * column_spacing_mm
    matrix[:3, 1] = np.array(orientation[3:]) * row_spacing_mm
    matrix[:3, 2] = step
    matrix[:3, 3] = position
    return matrix


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
