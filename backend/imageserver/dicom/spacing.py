"""Distances between the slices of a stack, and the line on which they lie."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Positions are written with few digits: steps may differ by this much and still be equal.
ROUNDING_MM = 0.02
_STEP_TOLERANCE = 0.01
_TILT_DEGREES = 0.5
# Beside the line by more than this, and a hundredth of a step, is not rounding any more.
_BESIDE_MM = 0.1
_ALL_PAIRS = 64


class Line(NamedTuple):
    """The line through the slices of a stack.

    Attributes
    ----------
    tilt_degrees : float
        Angle between the line and the normal of the slices, as of a tilted gantry.
    beside_mm : numpy.ndarray, shape (n,)
        How far each slice lies beside the line through the others.
    """

    tilt_degrees: float
    beside_mm: NDArray[np.float64]


def steps_between(projections: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances between neighbours in an ordered stack, leaving out repeated positions, in mm."""
    steps = np.diff(projections)
    return steps[steps > ROUNDING_MM / 2]


def measured_spacing(projections: NDArray[np.float64]) -> float | None:
    """Return the median distance between neighbours in mm; None for fewer than two positions."""
    steps = steps_between(projections)
    return round(float(np.median(steps)), 4) if len(steps) else None


def is_even(steps: NDArray[np.float64]) -> bool:
    """Tell whether all steps are equal, within rounding and 1 %."""
    if not len(steps):
        return True
    median = float(np.median(steps))
    return bool(np.all(np.abs(steps - median) <= step_tolerance(median)))


def step_tolerance(spacing_mm: float) -> float:
    """Return by how many mm a step may differ from others and still count as equal."""
    return ROUNDING_MM + _STEP_TOLERANCE * spacing_mm


def is_uniform(projections: NDArray[np.float64]) -> bool:
    """Tell whether the slices of an ordered stack are equally far from each other."""
    return is_even(steps_between(projections))


def line_of(positions: NDArray[np.float64], projections: NDArray[np.float64]) -> Line:
    """Fit a line through the slices so that a few that lie elsewhere do not move it.

    Parameters
    ----------
    positions : numpy.ndarray, shape (n, 3), mm
        Image Position (Patient) of each slice, in order.
    projections : numpy.ndarray, shape (n,), mm
        Their places along the normal, ascending.

    Returns
    -------
    Line

    Notes
    -----
    The estimator of Theil and Sen: the median of the slopes between pairs of slices. In long stacks the pairs are half
    a stack apart.
    """
    slopes = _slopes(positions, projections)
    if not len(slopes):
        return Line(0.0, np.zeros(len(positions)))
    slope = np.median(slopes, axis=0)
    start = np.median(positions - np.outer(projections, slope), axis=0)
    beside = np.linalg.norm(positions - start - np.outer(projections, slope), axis=1)
    # Along the normal the slope is 1 by definition: mm per mm.
    cosine = min(1.0, 1.0 / float(np.linalg.norm(slope)))
    return Line(float(np.degrees(np.arccos(cosine))), beside)


def _slopes(positions: NDArray[np.float64], projections: NDArray[np.float64]) -> NDArray[np.float64]:
    count = len(projections)
    if count <= _ALL_PAIRS:
        one, other = np.triu_indices(count, 1)
    else:
        one = np.arange(count - count // 2)
        other = one + count // 2
    apart = projections[other] - projections[one]
    usable = apart > ROUNDING_MM / 2
    return np.asarray((positions[other] - positions[one])[usable] / apart[usable, None])


def is_tilted(line: Line) -> bool:
    """Tell whether the slices are sheared against each other."""
    return line.tilt_degrees > _TILT_DEGREES


def beside_the_line(line: Line, spacing_mm: float) -> NDArray[np.intp]:
    """Return the indices of the slices that do not lie on the line."""
    return np.flatnonzero(line.beside_mm > _BESIDE_MM + _STEP_TOLERANCE * spacing_mm)
