"""Pictures of other planes than the slices: what a volume holds there, slabs, and what lies between (PS3.3 C.7.6.2)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.modality_lut import Rescale, apply_modality_lut
from imageserver.dicom.padding import Padding
from imageserver.dicom.planes import Grid, Plane

_BLOCK_BYTES = 8 * 1024 * 1024
_BARELY = 1e-6  # of a pixel: rounding, not a place of its own

_IDENTITY = Rescale()

Values = NDArray[np.float64]


class Projection(StrEnum):
    """What is shown of the voxels behind each other in a slab."""

    AVERAGE = "average"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"


@dataclass(frozen=True)
class Voxels:
    """The values of a stack.

    Attributes
    ----------
    stored_values : numpy.ndarray, shape (slices, rows, columns), any real type
        May lie in a file (`numpy.memmap`): only what is needed is touched, and little of it at a time.
    rescale : Rescale
        To modality values.
    padding : Padding or None
        Stored values that stand for nothing.
    """

    stored_values: NDArray[Any]
    rescale: Rescale = _IDENTITY
    padding: Padding | None = None

    def modality_values(self, stored_values: NDArray[Any]) -> Values:
        """Return modality values; NaN where there is padding."""
        values = np.asarray(apply_modality_lut(stored_values, self.rescale), np.float64)
        if self.padding is None:
            return values
        return np.where(self.padding.mask(stored_values), np.nan, values)


def slab_range(plane: Plane, index: int, slab_mm: float) -> tuple[int, int]:
    """Return the first and the last plane of a slab: those whose middle lies within half its thickness of `index`."""
    reach = int(slab_mm / 2 / plane.slice_spacing_mm + _BARELY)
    return max(0, index - reach), min(plane.count - 1, index + reach)


def reslice(
    voxels: Voxels,
    grid: Grid,
    plane: Plane,
    slab: tuple[int, int],
    projection: Projection = Projection.AVERAGE,
) -> Values:
    """Make one picture of a plane.

    Parameters
    ----------
    voxels : Voxels
        Of the stack.
    grid : Grid
        As `grid_of` gives it for the stack.
    plane : Plane
        One of `planes_of` for this grid.
    slab : tuple of 2 int
        The first and the last plane that are projected onto the picture, as `slab_range` gives them; from 0, below
        `plane.count`.
    projection : Projection
        How.

    Returns
    -------
    numpy.ndarray, shape (plane.rows, plane.columns), float64
        Modality values; NaN outside the stack and where there is padding.

    Notes
    -----
    Within a plane values are interpolated linearly along each axis, between the two nearest voxels; beside padding the
    nearer one counts alone. A slab is projected voxel by voxel, and the picture of that interpolated.
    """
    first, last = slab
    through, down, right = plane.axes
    if plane.is_flipped[0]:
        first, last = plane.count - 1 - last, plane.count - 1 - first
    projected = _project(voxels, grid, through, first, last, projection)
    if down < right:  # the axes of what was projected fall: normal, columns, rows
        projected = projected.T
    for axis, is_flipped in enumerate(plane.is_flipped[1:]):
        projected = np.flip(projected, axis) if is_flipped else projected
    sizes = (plane.rows, grid.spacings_mm[down]), (plane.columns, grid.spacings_mm[right])
    for axis, (count, spacing_mm) in enumerate(sizes):
        projected = _resample(projected, axis, count, plane.pixel_spacing_mm / spacing_mm)
    return np.ascontiguousarray(projected)


def _project(
    voxels: Voxels, grid: Grid, through: int, first: int, last: int, projection: Projection
) -> Values:
    """Project planes `first` to `last` along one axis of the grid; the result has its other axes, the highest first."""
    if grid.is_sheared:
        blocks = _straightened(voxels, grid, through, first, last)
    else:
        blocks = _straight(voxels, through, first, last)
    axis = 2 - through
    if axis == 0:
        return _over_blocks(blocks, projection)
    return np.concatenate([_over_blocks(iter([block]), projection, axis) for block in blocks])


def _straight(voxels: Voxels, through: int, first: int, last: int) -> Iterator[Values]:
    """Yield the voxels between two planes, a few slices at a time."""
    count, rows, columns = voxels.stored_values.shape
    wanted: list[slice] = [slice(0, count), slice(0, rows), slice(0, columns)]
    wanted[2 - through] = slice(first, last + 1)
    slices, part = wanted[0], tuple(wanted[1:])
    voxels_per_slice = (part[0].stop - part[0].start) * (part[1].stop - part[1].start)
    at_once = max(1, _BLOCK_BYTES // (8 * voxels_per_slice))
    for start in range(slices.start, slices.stop, at_once):
        stop = min(start + at_once, slices.stop)
        yield voxels.modality_values(voxels.stored_values[(slice(start, stop), *part)])


def _straightened(voxels: Voxels, grid: Grid, through: int, first: int, last: int) -> Iterator[Values]:
    """Yield slice by slice what lies between two planes, each slice moved to where it lies; NaN beside it."""
    columns, rows, count = grid.counts
    wanted = [slice(0, columns), slice(0, rows), slice(0, count)]
    wanted[through] = slice(first, last + 1)
    for number in range(wanted[2].start, wanted[2].stop):
        values = voxels.stored_values[number]
        places = [grid.starts[axis] - number * grid.shifts[axis] for axis in (0, 1)]
        # Only the rows that are needed are read and turned into numbers.
        begin = places[1] + wanted[1].start
        low = min(max(int(np.floor(begin)), 0), len(values) - 1)
        high = min(max(int(np.ceil(begin)) + wanted[1].stop - wanted[1].start, low + 1), len(values))
        part = voxels.modality_values(values[low:high])
        part = _moved(part, 0, begin - low, wanted[1].stop - wanted[1].start, (-low, len(values) - 1 - low))
        width = wanted[0].stop - wanted[0].start
        yield _moved(part, 1, places[0] + wanted[0].start, width, (0, values.shape[1] - 1))[np.newaxis]


def _moved(values: Values, axis: int, start: float, count: int, ends: tuple[int, int]) -> Values:
    """Return `count` values along an axis, one step apart, from `start` on; NaN where it is not between `ends`."""
    places = start + np.arange(count, dtype=np.float64)
    is_inside = (places >= ends[0] - _BARELY) & (places <= ends[1] + _BARELY)
    found = _interpolate(values, axis, places)
    if is_inside.all():
        return found
    return np.where(is_inside[:, np.newaxis] if axis == 0 else is_inside, found, np.nan)


def _resample(values: Values, axis: int, count: int, step: float) -> Values:
    """Return `count` values along an axis, `step` voxels apart, from the first on."""
    if count == values.shape[axis] and abs(step - 1) * count < _BARELY:
        return values
    return _interpolate(values, axis, np.arange(count, dtype=np.float64) * step)


def _interpolate(values: Values, axis: int, places: Values) -> Values:
    """Return values between two neighbours along an axis; beyond the ends the last one."""
    places = np.clip(places, 0, values.shape[axis] - 1)
    nearest = np.rint(places)
    places = np.where(abs(places - nearest) < _BARELY, nearest, places)
    below = np.floor(places).astype(np.intp)
    above = np.minimum(below + 1, values.shape[axis] - 1)
    weight = places - below
    weight = weight[:, np.newaxis] if axis == 0 else weight
    low, high = values.take(below, axis), values.take(above, axis)
    with np.errstate(invalid="ignore", over="ignore"):  # infinite values of floating point pixels
        found = low + weight * (high - low)
    is_unknown = np.isnan(found)
    if is_unknown.any():  # padding has no value to take part
        found = np.where(is_unknown, np.where(weight < 0.5, low, high), found)
    return np.asarray(found)


def _over_blocks(blocks: Iterator[Values], projection: Projection, axis: int = 0) -> Values:
    """Project blocks behind each other; voxels without a value do not take part."""
    if projection is Projection.AVERAGE:
        return _average(blocks, axis)
    extreme: np.ufunc = np.fmax if projection is Projection.MAXIMUM else np.fmin  # both pass over NaN
    return _reduced(blocks, lambda block: extreme.reduce(block, axis=axis), extreme)


def _reduced(blocks: Iterator[Values], reduce: Callable[[Values], Values], combine: np.ufunc) -> Values:
    found = reduce(next(blocks))
    for block in blocks:
        found = combine(found, reduce(block))
    return np.asarray(found)


def _average(blocks: Iterator[Values], axis: int) -> Values:
    total, counted = np.zeros(()), np.zeros((), np.intp)
    for block in blocks:
        total = total + np.nansum(block, axis=axis)
        counted = counted + np.count_nonzero(~np.isnan(block), axis=axis)
    with np.errstate(invalid="ignore"):  # 0 / 0: nothing is known there
        return np.asarray(total / counted)
