"""A series whose files name several patients: their pictures are never put into one volume."""

from collections.abc import Sequence
from dataclasses import replace

from imageserver.dicom.arrangement import Arrangement, Stack
from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.limits import Finding
from imageserver.dicom.stacks import arrange

OTHER_PATIENT = "other_patient"


def arrange_patients(frames: Sequence[Sequence[FrameDescription]]) -> Arrangement:
    """Arrange a series patient by patient.

    Parameters
    ----------
    frames : sequence of sequences of FrameDescription
        Of each patient, the one whom most files name first.

    Returns
    -------
    Arrangement
        That of the first patient with pictures. The stacks of the others follow; `excluded` names their images.
    """
    with_pictures = [one for one in frames if one]
    if len(with_pictures) < 2:
        return arrange(with_pictures[0] if with_pictures else ())
    arranged = [arrange(one) for one in with_pictures]
    total = len(arranged)
    stacks = [
        _labelled(stack, f"patient {number} of {total}")
        for number, arrangement in enumerate(arranged, start=1)
        for stack in arrangement.stacks
    ]
    first = arranged[0]
    return replace(
        first,
        stacks=tuple(replace(stack, stack=number) for number, stack in enumerate(stacks)),
        excluded=(*first.excluded, _other_patients(with_pictures[1:])),
        explanation=f"{first.explanation} The files name {total} patients; this is an image of the one in most files.",
    )


def _labelled(stack: Stack, words: str) -> Stack:
    return replace(stack, differs_by=", ".join([words, *([stack.differs_by] if stack.differs_by else [])]))


def _other_patients(frames: Sequence[Sequence[FrameDescription]]) -> Finding:
    images = [frame for one in frames for frame in one]
    whose = "another patient" if len(frames) == 1 else f"{len(frames)} other patients"
    belong = "1 image belongs" if len(images) == 1 else f"{len(images)} images belong"
    uids = tuple(dict.fromkeys(frame.sop_instance_uid for frame in images))
    numbers = {"images": len(images), "patients": len(frames)}
    return Finding(OTHER_PATIENT, f"{belong} to {whose}, in stacks of their own.", uids, numbers)
