"""Which slice is asked for: its place in the order of a stack or of the series, and its neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from imageserver.archive.volumes import Volume
from imageserver.dicom.arrangement import FrameReference
from imageserver.errors import SliceNotFound


@dataclass(frozen=True)
class LocatedSlice:
    """One slice of an order: of a stack, or of the series where `stack` is None."""

    stack: int | None
    index: int
    count: int
    frame: FrameReference

    def as_dict(self) -> dict[str, Any]:
        """JSON form, as in problem documents."""
        return {
            "stack": self.stack,
            "index": self.index,
            "count": self.count,
            "sop_instance_uid": self.frame.sop_instance_uid,
            "frame_number": self.frame.frame_number,
        }


def locate_slice(volume: Volume, stack: int | None, index: int | None) -> LocatedSlice:
    """Find a slice by its place.

    Parameters
    ----------
    volume : Volume
        The series.
    stack : int or None
        None: the order that gave the default slice.
    index : int or None
        From 0. None: the middle, ``count // 2``.

    Raises
    ------
    SliceNotFound
        If the series has no such stack or slice.
    """
    frames = frames_of(volume, stack)
    chosen = len(frames) // 2 if index is None else index
    if not frames:
        raise SliceNotFound("The series has no images.")
    if not 0 <= chosen < len(frames):
        raise SliceNotFound(f"Slice {chosen} was asked for; there are {len(frames)}, counted from 0.")
    return LocatedSlice(stack, chosen, len(frames), frames[chosen])


def neighbours_of(volume: Volume, located: LocatedSlice) -> list[LocatedSlice]:
    """Return the slices before and after one that cannot be shown."""
    frames = frames_of(volume, located.stack)
    indices = (located.index - 1, located.index + 1)
    return [
        LocatedSlice(located.stack, index, len(frames), frames[index])
        for index in indices
        if 0 <= index < len(frames)
    ]


def place_of(volume: Volume, located: LocatedSlice) -> tuple[int | None, float | None]:
    """Return the stack that a slice belongs to, and its position along that stack's normal in mm.

    A slice of an order over the whole series is looked for in the stacks.
    """
    middle = volume.arrangement.middle
    number = located.stack if located.stack is not None or middle is None else middle.stack
    if number is not None:
        return number, volume.arrangement.stacks[number].positions_mm[located.index]
    for stack in volume.arrangement.stacks:
        if located.frame in stack.frames:
            return stack.stack, stack.positions_mm[stack.frames.index(located.frame)]
    return None, None


def positions_of(volume: Volume, stack: int | None) -> Sequence[float | None]:
    """Return where the slices of an order lie along the normal, in mm; None for each where they have no common one."""
    middle = volume.arrangement.middle
    number = stack if stack is not None or middle is None else middle.stack
    if number is None:
        return [None] * len(volume.arrangement.frames)
    return volume.arrangement.stacks[number].positions_mm


def frames_of(volume: Volume, stack: int | None) -> tuple[FrameReference, ...]:
    """Return the frames of a stack, or of the default order, in order.

    Raises
    ------
    SliceNotFound
        If the series has no such stack.
    """
    arrangement = volume.arrangement
    if stack is None:
        return arrangement.frames
    if not 0 <= stack < len(arrangement.stacks):
        raise SliceNotFound(
            f"Stack {stack} was asked for; there are {len(arrangement.stacks)}, counted from 0."
        )
    return arrangement.stacks[stack].frames
