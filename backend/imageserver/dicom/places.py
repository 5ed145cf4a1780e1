"""Where the frames of one geometry lie along their normal, and which of them share a place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.geometry import line_through, plane_normal, project
from imageserver.dicom.grouping import by_number
from imageserver.dicom.repeated_positions import Part, split
from imageserver.dicom.side_by_side import name_places

_POSITION_TOLERANCE_MM = 0.01
# Places of one slice at several times may scatter by this much, if it is little against the gaps between slices.
_JITTER_MM = 0.5
_JITTER_SHARE = 0.1


@dataclass
class FrameGroup:
    """Frames of one geometry, with their places along the normal."""

    frames: list[FrameDescription]
    positions: NDArray[np.float64]
    projections: NDArray[np.float64]
    buckets: NDArray[np.int64]
    parts: list[Part] = field(default_factory=list)

    @property
    def distinct_positions(self) -> int:
        return int(self.buckets.max()) + 1 if len(self.buckets) else 0


def place(frames: list[FrameDescription]) -> FrameGroup | None:
    """Measure where the frames of one geometry lie, and split them where positions repeat.

    Without an orientation they are measured along the line through their positions; None where there is no line.
    """
    positions = np.array([frame.position for frame in frames], np.float64)
    orientation = frames[0].orientation
    direction = line_through(positions) if orientation is None else plane_normal(orientation)
    if direction is None:
        return None
    projections = project(positions, direction)
    smallest = min((s for s in (frames[0].row_spacing_mm, frames[0].column_spacing_mm) if s), default=1.0)
    exact = _buckets(projections, min(_POSITION_TOLERANCE_MM, smallest / 10))
    told_apart = name_places(frames, positions, direction, exact)
    buckets, parts = _split_at(told_apart, projections, exact)
    group = FrameGroup(frames, positions, projections, buckets)
    group.parts = [part._replace(members=_in_order(part.members, group)) for part in parts]
    return group


def _split_at(
    frames: Sequence[FrameDescription], projections: NDArray[np.float64], exact: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[Part]]:
    """Split by places that scatter, where the frames bear it out, else by the exact places."""
    clustered = _clustered(projections, exact)
    if clustered is not None and len(parts := split(frames, clustered)) > 1:
        return clustered, parts
    if exact.max() == 0 and not _are_segments(frames):
        return exact, [Part(list(range(len(frames))), None)]
    return exact, split(frames, exact)


def _are_segments(frames: Sequence[FrameDescription]) -> bool:
    return len({frame.splitting.get("segment") for frame in frames}) > 1


def _clustered(projections: NDArray[np.float64], exact: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Number places that scatter, as after motion correction or rounding; None where nothing speaks for it.

    The data tell the tolerance: the largest step that leaves clusters much narrower than the gaps between them.
    """
    steps = np.sort(np.diff(np.sort(projections)))
    small, large = steps[:-1], steps[1:]
    candidates = small[(small > 0) & (small <= _JITTER_MM) & (large > 2 * small)]
    for tolerance in candidates[::-1]:
        buckets = _buckets(projections, tolerance)
        if 2 < buckets.max() + 1 <= exact.max() and _is_clear(projections, buckets):
            return buckets
    return None


def _is_clear(projections: NDArray[np.float64], buckets: NDArray[np.int64]) -> bool:
    """Tell whether clusters are narrow against the gaps between them."""
    order = np.argsort(projections, kind="stable")
    starts = np.searchsorted(buckets[order], np.arange(buckets.max() + 1))
    lowest = projections[order][starts]
    highest = projections[order][np.append(starts[1:], len(order)) - 1]
    gap = float(np.median(lowest[1:] - highest[:-1]))
    return float((highest - lowest).max()) <= min(_JITTER_MM, _JITTER_SHARE * gap)


def _buckets(projections: NDArray[np.float64], tolerance: float) -> NDArray[np.int64]:
    """Number the distinct places along the normal, from 0."""
    order = np.argsort(projections, kind="stable")
    steps = np.diff(projections[order]) > tolerance
    buckets = np.empty(len(projections), np.int64)
    buckets[order] = np.concatenate(([0], np.cumsum(steps)))
    return buckets


def _in_order(members: Iterable[int], group: FrameGroup) -> list[int]:
    """Sort by place, then Instance Number, SOP Instance UID and frame number."""
    return sorted(members, key=lambda i: (group.buckets[i], by_number(group.frames[i])))
