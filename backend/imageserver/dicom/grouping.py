"""Grouping frames by geometry: equal size, orientation and pixel spacing."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.frame_description import FrameDescription

_COSINE_TOLERANCE = 0.01
_SPACING_TOLERANCE = 0.01


def by_number(frame: FrameDescription) -> tuple[bool, int, str, int, str, tuple[int, ...], int]:
    """Instance Number (missing ones last), the object, the dimension index, then the frame number.

    The parts of a concatenation stand together, in the order of their offsets.
    """
    number, uid = frame.instance_number, frame.sop_instance_uid
    whole, offset = frame.concatenation or (uid, 0)
    return number is None, number or 0, whole, offset, uid, frame.dimension_index or (), frame.frame_number


def group_by_geometry(frames: Sequence[FrameDescription]) -> list[list[FrameDescription]]:
    """Group frames of equal size, orientation and pixel spacing; the largest group first.

    Near-equal values chain to the first of their group, in an order of the values themselves, so that
    renumbering the files cannot change the groups.
    """
    by_values: dict[tuple[float, ...], list[FrameDescription]] = defaultdict(list)
    for frame in frames:
        by_values[_geometry_values(frame)].append(frame)
    leaders: dict[tuple[float, ...], list[tuple[NDArray[np.float64], list[FrameDescription]]]] = defaultdict(
        list
    )
    for values in sorted(by_values):
        known = leaders[values[:2]]
        vector = np.array(values[2:])
        group = next((members for leader, members in known if _is_near(leader, vector)), None)
        if group is None:
            known.append((vector, list(by_values[values])))
        else:
            group.extend(by_values[values])
    groups = [members for known in leaders.values() for _, members in known]
    return sorted(
        (sorted(group, key=by_number) for group in groups), key=lambda g: (-len(g), by_number(g[0]))
    )


def group_by_orientation(frames: Sequence[FrameDescription]) -> list[list[FrameDescription]]:
    """Group frames by orientation alone."""
    alike = [replace(f, rows=0, columns=0, row_spacing_mm=None, column_spacing_mm=None) for f in frames]
    return group_by_geometry(alike)


def _geometry_values(frame: FrameDescription) -> tuple[float, ...]:
    orientation = frame.orientation or (0.0,) * 6
    spacing = (frame.row_spacing_mm or 0.0, frame.column_spacing_mm or 0.0)
    return (frame.rows, frame.columns, *(round(value, 6) for value in orientation), *spacing)


def _is_near(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    cosines = np.abs(one[:6] - other[:6]) <= _COSINE_TOLERANCE
    spacing = np.abs(one[6:] - other[6:]) <= _SPACING_TOLERANCE * np.maximum(one[6:], other[6:])
    return bool(cosines.all() and spacing.all())
