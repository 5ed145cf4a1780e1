"""How the middle slice of a series was chosen, as sentences for people."""

from collections.abc import Sequence

from imageserver.dicom.arrangement import Stack, Verdict
from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.grouping import group_by_orientation
from imageserver.dicom.places import FrameGroup


def explain_position(first: Stack, stacks: Sequence[Stack], total: int, has_normal: bool) -> str:
    """Say that positions order, and in which stack the slice is."""
    middle = first.middle
    if total == 1:
        return "The series has one image."
    along = "the normal of the slices" if has_normal else "the line through the slices"
    sentence = f"Slice {middle.index + 1} of {middle.count}, ordered by position along {along}."
    if len(stacks) > 1:
        sentence += f" The series has {len(stacks)} stacks; this is the first"
        sentence += f" ({first.differs_by})." if first.differs_by else "."
    return sentence


def explain_number(
    verdict: Verdict, frames: Sequence[FrameDescription], groups: Sequence[FrameGroup], is_placed: bool
) -> str:
    """Say that instance numbers order, and why positions do not."""
    count = len(frames)
    place = f"image {count // 2 + 1} of {count}, ordered by instance number and {_within_objects(frames)}"
    subject = "frames" if verdict is Verdict.CINE else "images"
    if verdict is Verdict.SINGLE_IMAGE:
        return "The series has one image."
    if any(frame.is_tile for frame in frames):
        return f"The images are tiles of larger pictures, so this is {place}."
    if groups and not is_placed:
        return f"{_explain_groups(groups)}, so this is {place}."
    if is_placed:
        return f"The images all lie at one position in the patient, so this is {place}."
    if any(frame.position is not None for frame in frames):
        return f"The positions of the {subject} give no order, so this is {place}."
    return f"The {subject} have no position in the patient, so this is {place}."


def _within_objects(frames: Sequence[FrameDescription]) -> str:
    """Say what orders the frames of one object."""
    if any(frame.is_tile for frame in frames):
        return "place in the larger picture"
    if any(frame.dimension_index for frame in frames):
        return "the dimensions of the object"
    return "frame number"


def _explain_groups(groups: Sequence[FrameGroup]) -> str:
    """Say why no group is the volume: what really differs between them."""
    stacks = sum(len(group.parts) for group in groups)
    if len(groups) == 1:
        return "Too few of the images have a position in the patient"
    firsts = [group.frames[0] for group in groups]
    if len({(frame.rows, frame.columns) for frame in firsts}) == len(firsts):
        return f"The images lie in {stacks} stacks of different sizes"
    if len(group_by_orientation(firsts)) == 1:
        return f"The images lie in {stacks} stacks with different sizes or pixel spacings, or without one"
    return f"The images lie in {stacks} stacks with no common direction"
