"""From the frames of a series to stacks in order, the middle slice, and the reasons.

The answer never depends on file names or on the order in which the frames come.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from imageserver.dicom.arrangement import (
    Arrangement,
    FrameReference,
    Middle,
    Ordering,
    Stack,
    Verdict,
    middle_of,
)
from imageserver.dicom.exclusions import (
    excluded,
    find_unplaced,
    incomplete_stacks,
    unequal_stacks,
    unplaced_findings,
)
from imageserver.dicom.explanations import explain_number, explain_position
from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.frame_findings import (
    frame_of_reference_findings,
    mosaic_findings,
    orientation_findings,
)
from imageserver.dicom.grouping import by_number, group_by_geometry
from imageserver.dicom.limits import Finding
from imageserver.dicom.places import FrameGroup, place
from imageserver.dicom.spacing import is_tilted, is_uniform, line_of
from imageserver.dicom.stack_building import build_stacks, reference
from imageserver.dicom.stack_findings import find_irregularities

__all__ = ["Arrangement", "FrameReference", "Middle", "Ordering", "Stack", "Verdict", "arrange"]

_MAIN_GROUP_SHARE = 0.8


def arrange(frames: Sequence[FrameDescription]) -> Arrangement:
    """Order the frames of a series and choose its middle slice.

    Parameters
    ----------
    frames : sequence of FrameDescription
        All frames of the series, in any order.

    Returns
    -------
    Arrangement

    References
    ----------
    DICOM PS3.3 C.7.6.2; docs/decisions/0016-middle-slice.md
    """
    if not frames:
        return Arrangement(Verdict.EMPTY, Ordering.INSTANCE_NUMBER, explanation="The series has no images.")
    ordered = sorted(frames, key=by_number)
    located = [frame for frame in ordered if frame.position is not None]
    groups = [group for group in map(place, group_by_geometry(located)) if group is not None]
    main = next((group for group in groups if len(group.frames) >= _MAIN_GROUP_SHARE * len(frames)), None)
    if main is not None and (main.distinct_positions > 1 or len(main.frames) == len(main.parts)):
        return _arrange_by_position(ordered, groups, main)
    return _arrange_by_number(ordered, groups, main)


def _arrange_by_position(
    frames: Sequence[FrameDescription], groups: Sequence[FrameGroup], main: FrameGroup
) -> Arrangement:
    unplaced = find_unplaced(frames, groups)
    stacks = build_stacks(groups, main, unplaced)
    first = stacks[0]
    findings = [
        finding
        for part in main.parts
        if part.is_complete
        for finding in find_irregularities(
            [main.frames[i] for i in part.members],
            main.projections[part.members],
            main.positions[part.members],
        )
    ]
    warnings = _once(
        [
            *orientation_findings(frames),
            *mosaic_findings(frames),
            *frame_of_reference_findings(main.frames),
            *incomplete_stacks(main),
            *unequal_stacks(main),
            *findings,
        ]
    )
    return Arrangement(
        verdict=_verdict_of(main),
        ordering=Ordering.POSITION,
        stacks=tuple(stacks),
        frames=first.frames,
        middle=first.middle,
        excluded=tuple(excluded(unplaced, groups, main)),
        warnings=tuple(warnings),
        explanation=explain_position(first, stacks, len(frames), main.frames[0].orientation is not None),
    )


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """Merge equal findings of several stacks, keeping the sentence and the numbers of the first."""
    by_code: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_code[finding.code].append(finding)
    return [_merged(alike) for alike in by_code.values()]


def _merged(alike: Sequence[Finding]) -> Finding:
    first = alike[0]
    if len(alike) == 1:
        return first
    uids = tuple(dict.fromkeys(uid for finding in alike for uid in finding.sop_instance_uids))
    message = f"{first.message} So it is in {len(alike)} stacks; these are the figures of the first."
    return Finding(first.code, message, uids, {**first.numbers, "stacks": len(alike)})


def _verdict_of(group: FrameGroup) -> Verdict:
    if len(group.frames) == len(group.parts):
        return Verdict.SINGLE_IMAGE
    if sum(part.is_complete for part in group.parts) > 1:
        return Verdict.VOLUME_4D
    members = group.parts[0].members
    if is_tilted(line_of(group.positions[members], group.projections[members])):
        return Verdict.VOLUME_TILTED
    return Verdict.VOLUME if is_uniform(group.projections[members]) else Verdict.VOLUME_VARIABLE_SPACING


def _arrange_by_number(
    frames: Sequence[FrameDescription], groups: Sequence[FrameGroup], main: FrameGroup | None
) -> Arrangement:
    unplaced = find_unplaced(frames, groups)
    order = tuple(reference(frame) for frame in frames)
    verdict = _verdict_without_order(frames, groups, main)
    warnings = [*orientation_findings(frames), *mosaic_findings(frames)]
    if groups or any(frame.position is not None for frame in frames):
        warnings.extend(unplaced_findings(unplaced))
    return Arrangement(
        verdict=verdict,
        ordering=Ordering.INSTANCE_NUMBER,
        stacks=tuple(build_stacks(groups, main, unplaced)),
        frames=order,
        middle=middle_of(order, (), None),
        warnings=tuple(warnings),
        explanation=explain_number(verdict, frames, groups, main is not None),
    )


def _verdict_without_order(
    frames: Sequence[FrameDescription], groups: Sequence[FrameGroup], main: FrameGroup | None
) -> Verdict:
    if len(frames) == 1:
        return Verdict.SINGLE_IMAGE
    if any(frame.is_tile for frame in frames):
        return Verdict.NO_GEOMETRY
    if main is None and len(groups) > 1:
        return Verdict.LOCALIZER
    if any(frame.is_multiframe for frame in frames) or main is not None:
        return Verdict.CINE
    return Verdict.NO_GEOMETRY
