"""The axial, coronal and sagittal planes of a stack: how many, how large, where (docs/decisions/0059).

They lie along the stack's own axes, the rows, the columns and the normal of its slices, and each is named after the
patient's axis that is nearest to its normal. So a plane of the slices themselves is a slice, and nothing is turned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.arrangement import Stack
from imageserver.dicom.orientation import OrientationLabels, orientation_labels

# A picture has no more rows or columns than this, or than the stack has voxels along that side.
LONGEST_SIDE = 2048
# Slices whose shifts against each other add up to less than this part of a pixel are not moved at all.
_STRAIGHT_PIXELS = 0.05
_X, _Y, _Z = range(3)


class PlaneName(StrEnum):
    """The anatomical planes."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


# For each plane the patient's axis along its normal, and what its picture shows to the right and downwards (LPS): axial
# from below and coronal from the front, so that the patient's right is left; sagittal with the front at the left.
_NORMAL_AXIS = {PlaneName.AXIAL: _Z, PlaneName.CORONAL: _Y, PlaneName.SAGITTAL: _X}
_TO_THE_RIGHT = {PlaneName.AXIAL: (_X, 1), PlaneName.CORONAL: (_X, 1), PlaneName.SAGITTAL: (_Y, 1)}
_DOWNWARDS = {PlaneName.AXIAL: (_Y, 1), PlaneName.CORONAL: (_Z, -1), PlaneName.SAGITTAL: (_Z, -1)}


@dataclass(frozen=True)
class Grid:
    """A stack brought to right angles: what is sheared, as by a tilted gantry, is straightened.

    Axes are numbered 0 along the rows, 1 along the columns, 2 along the normal of the slices.

    Attributes
    ----------
    directions : numpy.ndarray, shape (3, 3)
        Unit vectors (LPS), one per row.
    spacings_mm : tuple of 3 float
    counts : tuple of 3 int
    origin : numpy.ndarray, shape (3,), mm
        Of the first grid point.
    starts : tuple of 2 float
        Where the grid begins along rows and columns, in pixels of the first slice; 0 or less.
    shifts : tuple of 2 float
        By how many pixels each slice lies beside the one before, along rows and columns.
    """

    directions: NDArray[np.float64]
    spacings_mm: tuple[float, float, float]
    counts: tuple[int, int, int]
    origin: NDArray[np.float64]
    starts: tuple[float, float]
    shifts: tuple[float, float]

    @property
    def is_sheared(self) -> bool:
        """Whether slices lie beside each other."""
        return any(self.shifts)


@dataclass(frozen=True)
class Plane:
    """One of the three planes of a stack: size and place of its pictures.

    Attributes
    ----------
    axes : tuple of 3 int
        Axes of the grid: along the normal, downwards and to the right.
    is_flipped : tuple of 3 bool
        Whether the pictures count against each of them.
    count : int
        Number of planes. They are counted as slices are: along rows × columns of the picture.
    affine : numpy.ndarray, shape (4, 4)
        From (column, row, index) to patient coordinates (LPS, mm).
    """

    name: PlaneName
    axes: tuple[int, int, int]
    is_flipped: tuple[bool, bool, bool]
    count: int
    rows: int
    columns: int
    pixel_spacing_mm: float
    slice_spacing_mm: float
    first_position_mm: float
    orientation_labels: OrientationLabels
    affine: NDArray[np.float64]

    def position_mm(self, index: int) -> float:
        """Where a plane lies along the normal of the pictures."""
        return round(self.first_position_mm + index * self.slice_spacing_mm, 4)

    def nearest_index(self, position_mm: float) -> int:
        """Return the plane nearest to a position, which may be none of these planes."""
        return round((position_mm - self.first_position_mm) / self.slice_spacing_mm)

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "count": self.count,
            "rows": self.rows,
            "columns": self.columns,
            "row_spacing_mm": round(self.pixel_spacing_mm, 6),
            "column_spacing_mm": round(self.pixel_spacing_mm, 6),
            "slice_spacing_mm": round(self.slice_spacing_mm, 6),
            "first_position_mm": round(self.first_position_mm, 4),
            "orientation_labels": self.orientation_labels.as_dict(),
            "affine": [[round(float(value), 8) for value in row] for row in self.affine],
        }


def grid_of(stack: Stack) -> Grid:
    """Bring a stack to right angles.

    Parameters
    ----------
    stack : Stack
        With an `affine`, of at least two slices.

    References
    ----------
    DICOM PS3.3 C.7.6.2.1.1
    """
    assert stack.affine is not None
    matrix = np.array(stack.affine)
    columns, rows, step = matrix[:3, 0], matrix[:3, 1], matrix[:3, 2]
    spacings = float(np.linalg.norm(columns)), float(np.linalg.norm(rows))
    right, down = columns / spacings[0], rows / spacings[1]
    normal = np.cross(right, down)
    normal /= np.linalg.norm(normal)
    moved = np.array([right @ step / spacings[0], down @ step / spacings[1]])
    last = stack.count - 1
    shifts = np.where(abs(moved) * last < _STRAIGHT_PIXELS, 0.0, moved)
    starts = np.minimum(0.0, shifts * last)
    widths = np.ceil(abs(shifts) * last - 1e-6).astype(int)
    return Grid(
        directions=np.array([right, down, normal]),
        spacings_mm=(*spacings, float(normal @ step)),
        counts=(stack.columns + int(widths[0]), stack.rows + int(widths[1]), stack.count),
        origin=matrix[:3, 3] + starts[0] * columns + starts[1] * rows,
        starts=(float(starts[0]), float(starts[1])),
        shifts=(float(shifts[0]), float(shifts[1])),
    )


def tilt_degrees(stack: Stack) -> float:
    """Return the angle between the line through the slices of a stack with an `affine` and their normal."""
    assert stack.affine is not None
    matrix = np.array(stack.affine)
    step = matrix[:3, 2]
    normal = np.cross(matrix[:3, 0], matrix[:3, 1])
    cosine = abs(normal @ step) / (np.linalg.norm(normal) * np.linalg.norm(step))
    return float(np.degrees(np.arccos(min(1.0, float(cosine)))))


def planes_of(grid: Grid, *, is_quadruped: bool = False) -> dict[PlaneName, Plane]:
    """Describe the three planes of a stack, by name.

    The pixels of a picture are square. Their side is the smaller of the two spacings of the stack in that plane, so
    that nothing is lost; larger only where a side would have more than `LONGEST_SIDE` of them and more than the stack
    has voxels.
    """
    axis_of = _axes_of_patient(grid.directions)
    return {name: _plane(grid, name, axis_of, is_quadruped) for name in PlaneName}


def _axes_of_patient(directions: NDArray[np.float64]) -> tuple[int, ...]:
    """Return which axis of the grid is the nearest to each axis of the patient, each once."""
    cosines = abs(directions)
    return max(permutations(range(3)), key=lambda order: sum(cosines[order[axis], axis] for axis in range(3)))


def _plane(grid: Grid, name: PlaneName, axis_of: Sequence[int], is_quadruped: bool) -> Plane:
    (x_axis, x_sign), (y_axis, y_sign) = _TO_THE_RIGHT[name], _DOWNWARDS[name]
    right, down, through = axis_of[x_axis], axis_of[y_axis], axis_of[_NORMAL_AXIS[name]]
    flip_right = bool(grid.directions[right][x_axis] * x_sign < 0)
    flip_down = bool(grid.directions[down][y_axis] * y_sign < 0)
    row, column = _turned(grid, right, flip_right), _turned(grid, down, flip_down)
    flip_through = bool(np.cross(row, column) @ grid.directions[through] < 0)
    normal = _turned(grid, through, flip_through)
    side = _side(grid, right, down)
    first = grid.origin + sum(
        grid.directions[axis] * grid.spacings_mm[axis] * (grid.counts[axis] - 1)
        for axis, is_flipped in ((right, flip_right), (down, flip_down), (through, flip_through))
        if is_flipped
    )
    affine = np.eye(4)
    affine[:3] = np.column_stack([row * side, column * side, normal * grid.spacings_mm[through], first])
    x, y, z, u, v, w = (float(value) for value in (*row, *column))
    labels = orientation_labels((x, y, z, u, v, w), is_quadruped=is_quadruped)
    assert labels is not None  # cosines always have letters
    return Plane(
        name=name,
        axes=(through, down, right),
        is_flipped=(flip_through, flip_down, flip_right),
        count=grid.counts[through],
        rows=_pixels(grid, down, side),
        columns=_pixels(grid, right, side),
        pixel_spacing_mm=side,
        slice_spacing_mm=grid.spacings_mm[through],
        first_position_mm=float(first @ normal),
        orientation_labels=labels,
        affine=affine,
    )


def _turned(grid: Grid, axis: int, is_flipped: bool) -> NDArray[np.float64]:
    direction: NDArray[np.float64] = grid.directions[axis]
    return -direction if is_flipped else direction


def _side(grid: Grid, *axes: int) -> float:
    finest = min(grid.spacings_mm[axis] for axis in axes)
    extents = [(grid.spacings_mm[axis] * (grid.counts[axis] - 1), grid.counts[axis]) for axis in axes]
    return max(finest, *(extent / (max(LONGEST_SIDE, count) - 1) for extent, count in extents))


def _pixels(grid: Grid, axis: int, side: float) -> int:
    """Count the pixels between the first and the last voxel; the last may lie half a pixel beyond its middle."""
    return int(grid.spacings_mm[axis] * (grid.counts[axis] - 1) / side + 0.5) + 1
