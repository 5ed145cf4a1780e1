"""What is outside the default order of a series, and why."""

from collections.abc import Iterable, Sequence

from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.limits import Finding
from imageserver.dicom.places import FrameGroup
from imageserver.dicom.stack_building import reference


def excluded(
    frames: Sequence[FrameDescription], groups: Sequence[FrameGroup], main: FrameGroup
) -> list[Finding]:
    """Say which frames are outside the main group, and why."""
    found = []
    found.extend(unplaced(frames, groups))
    reference = main.frames[0]
    for group in groups:
        if group is main:
            continue
        frame = group.frames[0]
        if (frame.rows, frame.columns) != (reference.rows, reference.columns):
            size = f"{frame.columns} × {frame.rows} instead of {reference.columns} × {reference.rows} pixels"
            found.append(Finding("other_size", f"{_images(len(group.frames))} {size}.", _uids(group.frames)))
        else:
            found.append(
                Finding(
                    "other_geometry",
                    f"{_images(len(group.frames))} another orientation or pixel spacing.",
                    _uids(group.frames),
                )
            )
    return found


def unplaced(frames: Sequence[FrameDescription], groups: Sequence[FrameGroup]) -> list[Finding]:
    """Name the frames that lie in no group: they have no position, or no line joins those without orientation."""
    placed = {reference(frame) for group in groups for frame in group.frames}
    others = [frame for frame in frames if reference(frame) not in placed]
    found = []
    if missing := [frame for frame in others if frame.position is None]:
        sentence = f"{_images(len(missing))} no position in the patient."
        found.append(Finding("missing_position", sentence, _uids(missing)))
    if astray := [frame for frame in others if frame.position is not None]:
        sentence = (
            f"{_images(len(astray))} a position but no usable orientation, and cannot be ordered by it."
        )
        found.append(Finding("unordered_position", sentence, _uids(astray)))
    return found


def _images(count: int) -> str:
    return "1 image has" if count == 1 else f"{count} images have"


def _uids(frames: Iterable[FrameDescription]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(frame.sop_instance_uid for frame in frames))


def incomplete_stacks(main: FrameGroup) -> list[Finding]:
    """Name the images of a repeated slice or an aborted run, which are listed behind the complete stacks."""
    largest = max(len(part.members) for part in main.parts)
    return [
        Finding(
            "incomplete_stack",
            f"{len(part.members)} of {largest} positions were also imaged as another stack ({part.label}); "
            "it is listed, but not taken for the volume.",
            _uids(main.frames[i] for i in part.members),
        )
        for part in main.parts
        if not part.is_complete
    ]
