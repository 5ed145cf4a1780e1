"""Grouping frames by geometry, and splitting a group where its positions repeat."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.geometry import line_through, plane_normal, project
from imageserver.dicom.splitting import SPLITTING_ATTRIBUTES

_COSINE_TOLERANCE = 0.01
_SPACING_TOLERANCE = 0.01
_POSITION_TOLERANCE_MM = 0.01
# Places of one slice at several times may scatter by this much, if it is little against the gaps between slices.
_JITTER_MM = 0.5
_JITTER_SHARE = 0.1
# A stack with this share of the positions is complete; a split that yields none, on average, is none.
_COMPLETE_SHARE = 0.8
_AVERAGE_SHARE = 0.6


@dataclass
class FrameGroup:
    """Frames of one geometry, with their places along the normal."""

    frames: list[FrameDescription]
    positions: NDArray[np.float64]
    projections: NDArray[np.float64]
    buckets: NDArray[np.int64]
    parts: list["Part"] = field(default_factory=list)

    @property
    def distinct_positions(self) -> int:
        return int(self.buckets.max()) + 1 if len(self.buckets) else 0


class Part(NamedTuple):
    """What becomes one stack: members of a group by index, in order, and the value they share.

    An incomplete part has less than 80 % of the positions of the largest: a repeated slice, an aborted run.
    """

    members: list[int]
    label: str | None
    is_complete: bool = True


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
    buckets, parts = _split_at(frames, projections, exact)
    group = FrameGroup(frames, positions, projections, buckets)
    group.parts = [part._replace(members=_in_order(part.members, group)) for part in parts]
    return group


def _split_at(
    frames: Sequence[FrameDescription], projections: NDArray[np.float64], exact: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[Part]]:
    """Split by places that scatter, where the frames bear it out, else by the exact places."""
    clustered = _clustered(projections, exact)
    if clustered is not None and len(parts := _split(frames, clustered)) > 1:
        return clustered, parts
    everything = [Part(list(range(len(frames))), None)]
    return exact, _split(frames, exact) if exact.max() > 0 else everything


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


def _split(frames: Sequence[FrameDescription], buckets: NDArray[np.int64]) -> list[Part]:
    """Split frames whose positions repeat by the attribute that separates them, else by their turn."""
    everything = Part(list(range(len(frames))), None)
    turns = Counter(buckets.tolist())
    if max(turns.values()) == 1:
        return [everything]
    varying = [
        name for name in SPLITTING_ATTRIBUTES if len({frame.splitting.get(name) for frame in frames}) > 1
    ]
    for size in (1, 2):
        for names in combinations(varying, size):
            if (parts := _split_by(frames, buckets, names)) is not None:
                return parts
    if len(set(turns.values())) == 1:
        return _split_by_turn(frames, buckets)
    return [everything]


def _split_by(
    frames: Sequence[FrameDescription], buckets: NDArray[np.int64], names: tuple[str, ...]
) -> list[Part] | None:
    """Split by the values of these attributes; None unless each part has every position at most once.

    An attribute that is different on every slice, such as a time, would separate too: one part must be nearly
    complete, or the parts fill the positions fairly well on average.
    """
    values: dict[tuple[str | None, ...], list[int]] = defaultdict(list)
    for index, frame in enumerate(frames):
        values[tuple(frame.splitting.get(name) for name in names)].append(index)
    distinct = int(buckets.max()) + 1
    largest = max(map(len, values.values()))
    if largest < _COMPLETE_SHARE * distinct and len(frames) <= _AVERAGE_SHARE * len(values) * distinct:
        return None
    if any(len(set(buckets[members].tolist())) < len(members) for members in values.values()):
        return None
    ordered = sorted(values.items(), key=lambda part: [_natural(value) for value in part[0]])
    parts = [
        Part(members, _label(names, value), len(members) >= _COMPLETE_SHARE * largest)
        for value, members in ordered
    ]
    return sorted(parts, key=lambda part: (not part.is_complete, _is_derived(frames, part.members)))


def _is_derived(frames: Sequence[FrameDescription], members: Sequence[int]) -> bool:
    """Tell whether most of these frames were computed from others: value 1 of Image Type (PS3.3 C.7.6.1.1.2)."""
    derived = sum(frames[i].splitting.get("image_type", "").startswith("DERIVED") for i in members)
    return 2 * derived > len(members)


def _natural(value: str | None) -> tuple[int, float, str]:
    """Sort numbers by size, before other texts, and missing values last."""
    if value is None:
        return 2, 0.0, ""
    try:
        return 0, float(value), ""
    except ValueError:
        return 1, 0.0, value


_WORDS: dict[str, Callable[[str], str]] = {
    "segment": "segment {}".format,
    "temporal_position": "time point {}".format,
    "acquisition": "acquisition {}".format,
    "echo": "echo {}".format,
    "echo_time": "echo time {} ms".format,
    "b_value": "b-value {}".format,
    "diffusion_gradient": "diffusion direction {}".format,
    "cardiac_phase": "cardiac phase {}".format,
    "time": "time {}".format,
    "acquisition_time": "acquired at {}".format,
    "content_time": "created at {}".format,
    "image_type": "image type {}".format,
    "convolution_kernel": "kernel {}".format,
    "stack_id": "stack {}".format,
}


def _label(names: Iterable[str], values: Iterable[str | None]) -> str:
    pairs = zip(names, values, strict=True)
    words = [
        _WORDS[name](value.replace("\\", " / ")) if value is not None else f"no {name.replace('_', ' ')}"
        for name, value in pairs
    ]
    return ", ".join(words)


def _split_by_turn(frames: Sequence[FrameDescription], buckets: NDArray[np.int64]) -> list[Part]:
    """Take the k-th frame at each position, by Instance Number, as stack k."""
    parts: dict[int, list[int]] = defaultdict(list)
    seen: Counter[int] = Counter()
    for index in sorted(range(len(frames)), key=lambda i: by_number(frames[i])):
        bucket = int(buckets[index])
        parts[seen[bucket]].append(index)
        seen[bucket] += 1
    return [Part(members, f"turn {turn + 1} at each position") for turn, members in sorted(parts.items())]
