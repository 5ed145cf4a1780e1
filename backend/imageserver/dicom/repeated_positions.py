"""Splitting the frames of one geometry where their positions repeat: by what differs, else by their turn."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.grouping import by_number
from imageserver.dicom.splitting import SPLITTING_ATTRIBUTES, words_for

# A stack with this share of the positions is complete; a split that yields none, on average, is none.
_COMPLETE_SHARE = 0.8
_AVERAGE_SHARE = 0.6


class Part(NamedTuple):
    """What becomes one stack: members of a group by index, in order, and the value they share.

    An incomplete part has less than 80 % of the positions of the largest: a repeated slice, an aborted run. A separate
    part is another object, such as a segment, of which nobody expects that it is as long as the others.
    """

    members: list[int]
    label: str | None
    is_complete: bool = True
    is_separate: bool = False


def split(frames: Sequence[FrameDescription], buckets: NDArray[np.int64]) -> list[Part]:
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
        Part(members, words_for(names, value), len(members) >= _COMPLETE_SHARE * largest)
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


def _split_by_turn(frames: Sequence[FrameDescription], buckets: NDArray[np.int64]) -> list[Part]:
    """Take the k-th frame at each position, by Instance Number, as stack k."""
    parts: dict[int, list[int]] = defaultdict(list)
    seen: Counter[int] = Counter()
    for index in sorted(range(len(frames)), key=lambda i: by_number(frames[i])):
        bucket = int(buckets[index])
        parts[seen[bucket]].append(index)
        seen[bucket] += 1
    return [Part(members, f"turn {turn + 1} at each position") for turn, members in sorted(parts.items())]
