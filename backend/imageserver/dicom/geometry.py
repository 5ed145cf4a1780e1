"""Planes in the patient (PS3.3 C.7.6.2).

Axes are LPS in mm: x to the patient's left, y to the back, z to the head.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Position = tuple[float, float, float]
Orientation = tuple[float, float, float, float, float, float]

# Files round their cosines; within 1e-2 they are taken as they are, within 0.1 they still say what was meant.
_UNIT_TOLERANCE = 1e-2
_USABLE_TOLERANCE = 0.1
# A position ten kilometres away, or pixels of a kilometre or of a nanometre, are no lengths of a patient: they would
# only run over in what is computed from them.
_FARTHEST_MM = 1e7
_LONGEST_MM = 1e6
_SHORTEST_MM = 1e-6
# Positions are on one line if they are off it by no more than this, as rounding leaves them.
_LINE_TOLERANCE_MM = 0.1


def is_position(values: Sequence[float]) -> bool:
    """Tell whether these can be coordinates of a point in or near a patient, in mm."""
    return len(values) == 3 and all(abs(value) <= _FARTHEST_MM for value in values)


def is_spacing(values: Sequence[float]) -> bool:
    """Tell whether these can be the distances of rows and columns, in mm."""
    return len(values) == 2 and all(_SHORTEST_MM <= value <= _LONGEST_MM for value in values)


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
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # what is far too long is infinitely far from a unit vector
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
        Centre of the first pixel of the first slice: Image Position (Patient), S.
    orientation : tuple of 6 float
        Cosines of the rows, X, and of the columns, Y: Image Orientation (Patient).
    row_spacing_mm, column_spacing_mm : float
        Distance between rows, and between columns: Pixel Spacing.
    step : sequence of 3 float, mm
        From one slice to the next, T; zero for a single slice, as in the standard.

    Returns
    -------
    numpy.ndarray, shape (4, 4), float64
        Axes are LPS: x to the patient's left, y to the back, z to the head.

    Notes
    -----
    The index i counts columns, from the left of the picture, j rows, from the top, k slices; all from 0. With the
    spacings of columns and of rows, di and dj::

        | Px |   | Xx·di  Yx·dj  Tx  Sx |   | i |
        | Py | = | Xy·di  Yy·dj  Ty  Sy | · | j |
        | Pz |   | Xz·di  Yz·dj  Tz  Sz |   | k |
        | 1  |   |   0      0     0   1 |   | 1 |

    References
    ----------
    DICOM PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1, whose third column is zero
    """
    matrix = np.eye(4)
    matrix[:3, 0] = np.array(orientation[:3]) * column_spacing_mm
    matrix[:3, 1] = np.array(orientation[3:]) * row_spacing_mm
    matrix[:3, 2] = step
    matrix[:3, 3] = position
    return matrix


def common_step(positions: NDArray[np.float64], tolerance_mm: float) -> NDArray[np.float64] | None:
    """Return the step that leads from each slice to the next.

    Parameters
    ----------
    positions : numpy.ndarray, shape (n, 3), mm
        Image Position (Patient) of each slice, in order.
    tolerance_mm : float
        How far a slice may lie from where the step leads.

    Returns
    -------
    numpy.ndarray, shape (3,), mm, or None
        Zero for a single slice; None where no step leads to all of them.
    """
    count = len(positions)
    step = (positions[-1] - positions[0]) / max(count - 1, 1)
    expected = positions[0] + np.outer(np.arange(count), step)
    is_common = np.linalg.norm(positions - expected, axis=1).max() <= tolerance_mm
    return np.asarray(step) if is_common else None
