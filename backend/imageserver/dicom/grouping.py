"""Grouping frames by geometry: equal size, orientation and pixel spacing."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.frame_description import FrameDescription

_COSINE_TOLERANCE = 0.01
_SPACING_TOLERANCE = 0.01
_COMPARED = 1000


def by_number(frame: FrameDescription) -> tuple[bool, int, str, tuple[int, ...], int, str, int]:
    """Instance Number (missing ones last), the object, the place that the object gives its frame, then frame number.

    The parts of a concatenation stand together, in the order of their dimensions or of their offsets.
    """
    number, uid = frame.instance_number, frame.sop_instance_uid
    whole, offset = frame.concatenation or (uid, 0)
    return number is None, number or 0, whole, frame.dimension_index or (), offset, uid, frame.frame_number


def group_by_geometry(frames: Sequence[FrameDescription]) -> list[list[FrameDescription]]:
    """Group frames of equal size, orientation and pixel spacing; the largest group first.

    Near-equal values chain to the first of their group, in an order of the values themselves, so that
    renumbering the files cannot change the groups.
    """
    by_values: dict[tuple[float, ...], list[FrameDescription]] = defaultdict(list)
    for frame in frames:
        by_values[_geometry_values(frame)].append(frame)
    by_size: dict[tuple[float, ...], _Groups] = defaultdict(_Groups)
    for values in sorted(by_values):
        by_size[values[:2]].add(np.array(values[2:]), by_values[values])
    groups = [members for groups in by_size.values() for members in groups.members]
    return sorted(
        (sorted(group, key=by_number) for group in groups), key=lambda g: (-len(g), by_number(g[0]))
    )


class _Groups:
    """Groups of frames of one size, each with the geometry of its first.

    Beyond `_COMPARED` groups nothing is compared any more: so many directions are no series that was ever acquired, and
    comparing each with all others would take hours.
    """

    def __init__(self) -> None:
        self.members: list[list[FrameDescription]] = []
        self._leaders = np.empty((0, 8))

    def add(self, vector: NDArray[np.float64], frames: Sequence[FrameDescription]) -> None:
        """Add frames to the first group whose geometry is near, else to one of their own."""
        near = np.flatnonzero(_is_near(self._leaders, vector))
        if near.size:
            self.members[int(near[0])].extend(frames)
            return
        self.members.append(list(frames))
        if len(self._leaders) < _COMPARED:
            self._leaders = np.vstack((self._leaders, vector))


def group_by_orientation(frames: Sequence[FrameDescription]) -> list[list[FrameDescription]]:
    """Group frames by orientation alone."""
    alike = [replace(f, rows=0, columns=0, row_spacing_mm=None, column_spacing_mm=None) for f in frames]
    return group_by_geometry(alike)


def _geometry_values(frame: FrameDescription) -> tuple[float, ...]:
    orientation = frame.orientation or (0.0,) * 6
    spacing = (frame.row_spacing_mm or 0.0, frame.column_spacing_mm or 0.0)
    return (frame.rows, frame.columns, *(round(value, 6) for value in orientation), *spacing)


def _is_near(leaders: NDArray[np.float64], vector: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell for each of the leaders, shape (n, 8), whether a geometry is as good as its own."""
    differences = np.abs(leaders - vector)
    cosines = differences[:, :6] <= _COSINE_TOLERANCE
    spacing = differences[:, 6:] <= _SPACING_TOLERANCE * np.maximum(leaders[:, 6:], vector[6:])
    return np.asarray(cosines.all(axis=1) & spacing.all(axis=1))
