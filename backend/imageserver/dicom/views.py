"""Views of a volume from any direction: a plane, thin or thick, through any point (PS3.18 8.3.5.3, PS3.3 C.11.26)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.arrangement import Stack
from imageserver.dicom.reslicing import Projection, Values, Voxels

LONGEST_SIDE = 1024
_MOST_SAMPLES = 24_000_000  # of one picture: some seconds
_BAND_PIXELS = 1 << 17
_BARELY = 1e-6  # of a voxel: rounding, not a place of its own
_SHORTEST = 1e-6

Point = tuple[float, float, float]


class Camera(NamedTuple):
    """From where a volume is looked at (PS3.3 C.11.30): points in the patient (LPS, mm), and the way up."""

    position: Point
    look_at: Point
    up: Point


class View(NamedTuple):
    """A rectangle in the patient whose middle the camera looks at.

    Attributes
    ----------
    origin : numpy.ndarray, shape (3,), mm
        Centre of the first pixel.
    right, down, forward : numpy.ndarray, shape (3,)
        Unit vectors along the rows, along the columns, and away from the camera.
    rows, columns : int
    spacing_mm : float
        Of its pixels, which are square, and of the samples across a slab.
    """

    origin: NDArray[np.float64]
    right: NDArray[np.float64]
    down: NDArray[np.float64]
    forward: NDArray[np.float64]
    rows: int
    columns: int
    spacing_mm: float


# Where the camera looks to, and its way up (PS3.18 8.3.5.3.4); LPS: x to the left, y to the back, z to the head.
_BY_ORIENTATION: dict[str, tuple[Point, Point]] = {
    "a": ((0, 1, 0), (0, 0, 1)),
    "p": ((0, -1, 0), (0, 0, 1)),
    "r": ((1, 0, 0), (0, 0, 1)),
    "l": ((-1, 0, 0), (0, 0, 1)),
    "h": ((0, 0, -1), (0, -1, 0)),
    "f": ((0, 0, 1), (0, -1, 0)),
}
ORIENTATIONS = tuple(_BY_ORIENTATION)


def camera_of(orientation: str, look_at: Point) -> Camera:
    """Return the camera that sees one side of the patient (`ORIENTATIONS`), 1 mm in front of the point looked at."""
    forward, up = _BY_ORIENTATION[orientation]
    x, y, z = (float(at - step) for at, step in zip(look_at, forward, strict=True))
    return Camera((x, y, z), look_at, up)


def middle_of(stack: Stack) -> Point:
    """Return the middle voxel of a stack with an `affine`, ``count // 2`` along each axis."""
    matrix = np.array(stack.affine)
    x, y, z, _ = matrix @ [stack.columns // 2, stack.rows // 2, stack.count // 2, 1]
    return float(x), float(y), float(z)


def view_of(camera: Camera, stack: Stack, slab_mm: float) -> View | None:
    """Return the view that shows all of a volume that lies in the plane looked at.

    Parameters
    ----------
    camera : Camera
        What it looks at lies in the plane, and in the middle of the view.
    stack : Stack
        With an `affine`.
    slab_mm : float
        Thickness; 0: thin.

    Returns
    -------
    View or None
        None where the plane does not meet the volume. Pixels are as fine as the finest spacing of the stack; there are
        no more than `LONGEST_SIDE` along a side.

    Raises
    ------
    ValueError
        If the camera is at the point that it looks at, or its way up leads there.

    References
    ----------
    DICOM PS3.17 XXX.8
    """
    look_at = np.array(camera.look_at)
    forward = _unit(look_at - camera.position)
    right = _unit(np.cross(forward, _unit(np.array(camera.up, np.float64))))
    down = np.cross(forward, right)
    corners = _corners(stack) - look_at
    depths = corners @ forward
    if depths.min() > slab_mm / 2 + _BARELY or depths.max() < -slab_mm / 2 - _BARELY:
        return None
    matrix = np.array(stack.affine)
    finest = min(float(np.linalg.norm(matrix[:3, axis])) for axis in range(3))
    half_width, half_height = (float(np.abs(corners @ axis).max()) for axis in (right, down))
    spacing = max(finest, 2 * max(half_width, half_height) / (LONGEST_SIDE - 2))
    # An odd number on each side of the middle, so that a pixel lies exactly where the camera looks at.
    halves = [int(np.ceil(half / spacing - _BARELY)) for half in (half_width, half_height)]
    origin = look_at - spacing * (halves[0] * right + halves[1] * down)
    return View(origin, right, down, forward, 2 * halves[1] + 1, 2 * halves[0] + 1, spacing)


def sample_view(voxels: Voxels, stack: Stack, view: View, slab_mm: float, projection: Projection) -> Values:
    """Make one picture of a view.

    Parameters
    ----------
    voxels : Voxels
        Of the stack.
    stack : Stack
        With an `affine`, which may be sheared.
    view : View
        As `view_of` gives it.
    slab_mm : float
        Thickness; 0: thin.
    projection : Projection
        What is shown of samples behind each other.

    Returns
    -------
    numpy.ndarray, shape (view.rows, view.columns), float64
        Modality values; NaN outside the stack and where there is padding.

    Notes
    -----
    Between eight voxels values are interpolated linearly along each axis; padding does not take part, and is shown
    where it has more than half of the weight. Samples of a slab are a pixel apart, or farther where those were too
    many.
    """
    to_index = np.linalg.inv(np.array(stack.affine))
    depths = _depths(view, slab_mm)
    bands = max(1, _BAND_PIXELS // view.columns)
    picture = np.empty((view.rows, view.columns))
    across = np.arange(view.columns) * view.spacing_mm
    for first in range(0, view.rows, bands):
        along = np.arange(first, min(first + bands, view.rows)) * view.spacing_mm
        places = (
            view.origin
            + along[:, np.newaxis, np.newaxis] * view.down
            + across[np.newaxis, :, np.newaxis] * view.right
        )
        samples = (
            _sample(voxels, (places + depth * view.forward) @ to_index[:3, :3].T + to_index[:3, 3])
            for depth in depths
        )
        picture[first : first + bands] = _project(samples, projection)
    return picture


def _depths(view: View, slab_mm: float) -> NDArray[np.float64]:
    wanted = int(slab_mm / view.spacing_mm + _BARELY) + 1
    count = max(1, min(wanted, _MOST_SAMPLES // (view.rows * view.columns)))
    if count == 1:
        return np.zeros(1)
    reach = (wanted - 1) * view.spacing_mm / 2
    return np.linspace(-reach, reach, count)


def _sample(voxels: Voxels, indices: NDArray[np.float64]) -> Values:
    """Interpolate at (column, row, slice) indices, shape (rows, columns, 3)."""
    shape = voxels.stored_values.shape[::-1]
    last = np.array(shape) - 1
    is_inside = np.logical_and(indices >= -_BARELY, indices <= last + _BARELY).all(axis=-1)
    found = np.full(is_inside.shape, np.nan)
    chosen = np.clip(indices[is_inside], 0, last)
    if not len(chosen):
        return found
    nearest = np.rint(chosen)
    chosen = np.where(abs(chosen - nearest) < _BARELY, nearest, chosen)
    below = np.floor(chosen).astype(np.intp)
    fraction = chosen - below
    total, weight = np.zeros(len(chosen)), np.zeros(len(chosen))
    for corner in np.ndindex(2, 2, 2):
        part = np.where(corner, fraction, 1 - fraction).prod(axis=1)
        if not part.any():
            continue
        column, row, number = np.minimum(below + corner, last).T
        values = voxels.modality_values(voxels.stored_values[number, row, column])
        is_known = ~np.isnan(values) & (part > 0)
        total[is_known] += part[is_known] * values[is_known]
        weight[is_known] += part[is_known]
    with np.errstate(invalid="ignore", divide="ignore"):  # where nothing is known
        found[is_inside] = np.where(weight >= 0.5, total / weight, np.nan)
    return found


def _project(samples: Iterator[Values], projection: Projection) -> Values:
    """Combine samples behind each other; those without a value do not take part."""
    found = next(samples)
    if projection is not Projection.AVERAGE:
        combine: np.ufunc = np.fmax if projection is Projection.MAXIMUM else np.fmin  # both pass over NaN
        for values in samples:
            found = combine(found, values)
        return found
    counted = (~np.isnan(found)).astype(np.intp)
    total = np.nan_to_num(found)
    for values in samples:
        counted += ~np.isnan(values)
        total += np.nan_to_num(values)
    with np.errstate(invalid="ignore"):  # 0 / 0: nothing is known there
        return np.asarray(total / counted)


def _corners(stack: Stack) -> NDArray[np.float64]:
    """Return the middles of the eight voxels at the corners of a stack, shape (8, 3), in mm."""
    matrix = np.array(stack.affine)
    ends = np.array([stack.columns - 1, stack.rows - 1, stack.count - 1])
    corners = np.array(list(np.ndindex(2, 2, 2))) * ends
    return np.asarray(corners @ matrix[:3, :3].T + matrix[:3, 3])


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(vector))
    if not length > _SHORTEST:
        raise ValueError("the camera has no direction")
    return np.asarray(vector / length)
