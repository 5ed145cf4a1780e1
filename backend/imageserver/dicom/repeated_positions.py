"""Splitting the frames of one geometry where their positions repeat: by what differs, else by their turn."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.grouping import by_number
from imageserver.dicom.splitting import LAST_RESORTS, SPLITTING_ATTRIBUTES, natural_order, words_for

# A stack with this share of the positions is complete; a split that yields none, on average, is none.
_COMPLETE_SHARE = 0.8
_AVERAGE_SHARE = 0.6
# Three attributes together are tried only where few vary; each try looks at every frame.
_MOST_FOR_TRIPLES = 10


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
    """Split frames into stacks that have each position at most once.

    Parameters
    ----------
    frames : sequence of FrameDescription
        Of one geometry.
    buckets : numpy.ndarray, shape (n,), int64
        The number of the position of each.

    Returns
    -------
    list of Part
        Segments are always apart. Where positions repeat, what the frames differ in splits them, else their turn.
    """
    segments = _Ranks(frames, ("segment",))
    if len(segments.counts) == 1:
        return _split_repeated(frames, buckets)
    return [
        part for rank in range(len(segments.counts)) for part in _of_segment(frames, buckets, segments, rank)
    ]


def _of_segment(
    frames: Sequence[FrameDescription], buckets: NDArray[np.int64], segments: "_Ranks", rank: int
) -> Iterator[Part]:
    members = np.flatnonzero(segments.ranks == rank).tolist()
    label = words_for(segments.names, segments.values[rank])
    _, own_buckets = np.unique(buckets[members], return_inverse=True)
    for part in _split_repeated([frames[i] for i in members], own_buckets):
        words = f"{label}, {part.label}" if part.label else label
        yield Part([members[i] for i in part.members], words, part.is_complete, is_separate=True)


class _Ranks:
    """Frames numbered by their values of some attributes, in the order of the values."""

    def __init__(self, frames: Sequence[FrameDescription], names: tuple[str, ...]) -> None:
        self.names = names
        values = [tuple(frame.splitting.get(name) for name in names) for frame in frames]
        self.values = sorted(set(values), key=lambda value: [natural_order(part) for part in value])
        rank_of = {value: rank for rank, value in enumerate(self.values)}
        self.ranks = np.array([rank_of[value] for value in values], np.int64)
        self.counts = np.bincount(self.ranks)

    def separate(self, buckets: NDArray[np.int64]) -> bool:
        """Tell whether no two frames have both the values and the position in common."""
        both = self.ranks * (int(buckets.max()) + 1) + buckets
        return len(np.unique(both)) == len(both)


def _split_repeated(frames: Sequence[FrameDescription], buckets: NDArray[np.int64]) -> list[Part]:
    """Split by the attributes that separate, the fewest that do, else by turn, else not at all."""
    everything = Part(list(range(len(frames))), None)
    turns = np.bincount(buckets)
    if turns.max() == 1:
        return [everything]
    for names in _combinations(frames):
        ranks = _Ranks(frames, names)
        if _is_worth_it(ranks, len(turns)) and ranks.separate(buckets):
            return _parts(frames, ranks)
    return _split_by_turn(frames, buckets) if turns.min() == turns.max() else [everything]


def _combinations(frames: Sequence[FrameDescription]) -> Iterator[tuple[str, ...]]:
    varying = _varying(frames, SPLITTING_ATTRIBUTES)
    for size in (1, 2, 3):
        if size < 3 or len(varying) <= _MOST_FOR_TRIPLES:
            yield from combinations(varying, size)
    for name in _varying(frames, LAST_RESORTS):
        yield (name,)


def _varying(frames: Sequence[FrameDescription], names: Iterable[str]) -> list[str]:
    return [name for name in names if len({frame.splitting.get(name) for frame in frames}) > 1]


def _is_worth_it(ranks: _Ranks, positions: int) -> bool:
    """Tell whether one part is nearly complete, or the parts fill the positions fairly well on average.

    An attribute that is different on every slice, such as a time, would separate too.
    """
    counts = ranks.counts
    return bool(counts.max() >= _COMPLETE_SHARE * positions or counts.mean() > _AVERAGE_SHARE * positions)


def _parts(frames: Sequence[FrameDescription], ranks: _Ranks) -> list[Part]:
    largest = int(ranks.counts.max())
    parts = [
        Part(
            np.flatnonzero(ranks.ranks == rank).tolist(),
            words_for(ranks.names, value),
            int(ranks.counts[rank]) >= _COMPLETE_SHARE * largest,
        )
        for rank, value in enumerate(ranks.values)
    ]
    return sorted(parts, key=lambda part: (not part.is_complete, _is_derived(frames, part.members)))


def _is_derived(frames: Sequence[FrameDescription], members: Sequence[int]) -> bool:
    """Tell whether most of these frames were computed from others: value 1 of Image Type (PS3.3 C.7.6.1.1.2)."""
    derived = sum(frames[i].splitting.get("image_type", "").startswith("DERIVED") for i in members)
    return 2 * derived > len(members)


def _split_by_turn(frames: Sequence[FrameDescription], buckets: NDArray[np.int64]) -> list[Part]:
    """Take the k-th frame at each position, by Instance Number, as stack k."""
    parts: dict[int, list[int]] = defaultdict(list)
    seen: Counter[int] = Counter()
    for index in sorted(range(len(frames)), key=lambda i: by_number(frames[i])):
        bucket = int(buckets[index])
        parts[seen[bucket]].append(index)
        seen[bucket] += 1
    return [Part(members, f"turn {turn + 1} at each position") for turn, members in sorted(parts.items())]
