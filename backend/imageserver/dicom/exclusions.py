"""What is outside the default order of a series, and why."""

from collections.abc import Iterable, Sequence

from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.frame_findings import images_have
from imageserver.dicom.limits import Finding
from imageserver.dicom.places import FrameGroup
from imageserver.dicom.repeated_positions import Part
from imageserver.dicom.stack_building import reference


def excluded(
    unplaced: Sequence[FrameDescription], groups: Sequence[FrameGroup], main: FrameGroup
) -> list[Finding]:
    """Say which frames are outside the main group, and why."""
    others = [_other_group(group, main.frames[0]) for group in groups if group is not main]
    return [*unplaced_findings(unplaced), *others]


def _other_group(group: FrameGroup, expected: FrameDescription) -> Finding:
    frame, count = group.frames[0], len(group.frames)
    if (frame.rows, frame.columns) == (expected.rows, expected.columns):
        message = f"{images_have(count)} another orientation or pixel spacing."
        return Finding("other_geometry", message, _uids(group.frames), {"images": count})
    size = f"{frame.columns} × {frame.rows} instead of {expected.columns} × {expected.rows} pixels"
    numbers = {
        "images": count,
        "rows": frame.rows,
        "columns": frame.columns,
        "expected_rows": expected.rows,
        "expected_columns": expected.columns,
    }
    return Finding("other_size", f"{images_have(count)} {size}.", _uids(group.frames), numbers)


def find_unplaced(frames: Sequence[FrameDescription], groups: Sequence[FrameGroup]) -> list[FrameDescription]:
    """Return the frames that lie in no group: they have no position, or no line joins those without orientation."""
    placed = {reference(frame) for group in groups for frame in group.frames}
    return [frame for frame in frames if reference(frame) not in placed]


def unplaced_findings(unplaced: Sequence[FrameDescription]) -> list[Finding]:
    """Say why frames lie in no group."""
    missing = [frame for frame in unplaced if frame.position is None]
    astray = [frame for frame in unplaced if frame.position is not None]
    sentences = (
        ("missing_position", missing, "no position in the patient"),
        (
            "unordered_position",
            astray,
            "a position but no usable orientation, and cannot be ordered by it",
        ),
    )
    return [
        Finding(code, f"{images_have(len(members))} {text}.", _uids(members), {"images": len(members)})
        for code, members, text in sentences
        if members
    ]


def incomplete_stacks(main: FrameGroup) -> list[Finding]:
    """Name the images of a repeated slice or an aborted run, which are listed behind the complete stacks."""
    largest = max(len(part.members) for part in main.parts)
    return [
        Finding(
            "incomplete_stack",
            f"{len(part.members)} of {largest} positions were also imaged as another stack ({part.label}); "
            "it is listed, but not taken for the volume.",
            _uids(main.frames[i] for i in part.members),
            {"images": len(part.members), "positions": largest},
        )
        for part in main.parts
        if not part.is_complete
    ]


def unequal_stacks(main: FrameGroup) -> list[Finding]:
    """Say that some of the complete stacks lack a few of the positions that others have."""
    complete = [part for part in main.parts if part.is_complete]
    largest = max(len(part.members) for part in complete)
    shorter = [part for part in complete if len(part.members) < largest and not part.is_separate]
    if not shorter:
        return []
    shortest = min(shorter, key=lambda part: len(part.members))
    message = f"{_stacks_have(len(shorter))} fewer than {largest} positions: {_size(shortest)}."
    numbers = {"stacks": len(shorter), "positions": largest, "fewest": len(shortest.members)}
    return [Finding("unequal_stacks", message, numbers=numbers)]


def _stacks_have(count: int) -> str:
    return "1 stack has" if count == 1 else f"{count} stacks have"


def _size(part: Part) -> str:
    return f"{part.label} has {len(part.members)}"


def _uids(frames: Iterable[FrameDescription]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(frame.sop_instance_uid for frame in frames))
