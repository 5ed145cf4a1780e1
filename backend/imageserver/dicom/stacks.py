"""From the frames of a series to stacks in order, the middle slice, and the reasons.

The answer never depends on file names or on the order in which the frames come.
"""

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
from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.grouping import (
    FrameGroup,
    Part,
    by_number,
    group_by_geometry,
    group_by_orientation,
    place,
)
from imageserver.dicom.limits import Finding
from imageserver.dicom.orientation import orientation_labels, plane_name
from imageserver.dicom.stack_findings import (
    find_irregularities,
    is_tilted,
    is_uniform,
    measured_spacing,
    orientation_findings,
)

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
    if main is not None and (main.distinct_positions > 1 or len(main.frames) == 1):
        return _arrange_by_position(ordered, groups, main)
    return _arrange_by_number(ordered, groups, main)


def _build_stacks(groups: Sequence[FrameGroup], first: FrameGroup | None) -> list[Stack]:
    """Make the stacks of all groups, those of `first` in front."""
    in_order = [g for g in groups if g is first] + [g for g in groups if g is not first]
    stacks: list[Stack] = []
    for group in in_order:
        for part in group.parts:
            stacks.append(_build_stack(len(stacks), group, part, groups))
    return stacks


def _build_stack(number: int, group: FrameGroup, part: Part, groups: Sequence[FrameGroup]) -> Stack:
    frame = group.frames[part.members[0]]
    projections = group.projections[part.members]
    return Stack(
        stack=number,
        frames=tuple(_reference(group.frames[i]) for i in part.members),
        positions_mm=tuple(round(float(p), 4) for p in projections),
        rows=frame.rows,
        columns=frame.columns,
        row_spacing_mm=frame.row_spacing_mm,
        column_spacing_mm=frame.column_spacing_mm,
        slice_spacing_mm=measured_spacing(projections),
        orientation_labels=orientation_labels(
            frame.orientation, frame.patient_orientation, is_quadruped=frame.is_quadruped
        ),
        differs_by=_differs_by(group, part, groups),
        pixel_aspect_ratio=frame.pixel_aspect_ratio,
    )


def _reference(frame: FrameDescription) -> FrameReference:
    return FrameReference(frame.sop_instance_uid, frame.frame_number)


def _differs_by(group: FrameGroup, part: Part, groups: Sequence[FrameGroup]) -> str | None:
    words = []
    if len(groups) > 1:
        frame = group.frames[0]
        words.append("no orientation" if frame.orientation is None else plane_name(frame.orientation))
        if len({(g.frames[0].rows, g.frames[0].columns) for g in groups}) > 1:
            words.append(f"{frame.columns} × {frame.rows} pixels")
    if part.label:
        words.append(part.label)
    return ", ".join(words) or None


def _arrange_by_position(
    frames: Sequence[FrameDescription], groups: Sequence[FrameGroup], main: FrameGroup
) -> Arrangement:
    stacks = _build_stacks(groups, main)
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
    warnings = _once([*orientation_findings(frames), *_incomplete_stacks(main), *findings])
    return Arrangement(
        verdict=_verdict_of(main),
        ordering=Ordering.POSITION,
        stacks=tuple(stacks),
        frames=first.frames,
        middle=first.middle,
        excluded=tuple(_excluded(frames, groups, main)),
        warnings=tuple(warnings),
        explanation=_explain_position(first, stacks, len(frames), main.frames[0].orientation is not None),
    )


def _incomplete_stacks(main: FrameGroup) -> list[Finding]:
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


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """Merge equal findings of several stacks, keeping the first sentence."""
    merged: dict[str, Finding] = {}
    for finding in findings:
        known = merged.get(finding.code)
        merged[finding.code] = (
            finding
            if known is None
            else known._replace(sop_instance_uids=known.sop_instance_uids + finding.sop_instance_uids)
        )
    return list(merged.values())


def _verdict_of(group: FrameGroup) -> Verdict:
    if len(group.frames) == 1:
        return Verdict.SINGLE_IMAGE
    if sum(part.is_complete for part in group.parts) > 1:
        return Verdict.VOLUME_4D
    members = group.parts[0].members
    if is_tilted(group.positions[members], group.projections[members]):
        return Verdict.VOLUME_TILTED
    return Verdict.VOLUME if is_uniform(group.projections[members]) else Verdict.VOLUME_VARIABLE_SPACING


def _excluded(
    frames: Sequence[FrameDescription], groups: Sequence[FrameGroup], main: FrameGroup
) -> list[Finding]:
    """Say which frames are outside the main group, and why."""
    found = []
    found.extend(_unplaced(frames, groups))
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


def _unplaced(frames: Sequence[FrameDescription], groups: Sequence[FrameGroup]) -> list[Finding]:
    """Name the frames that lie in no group: they have no position, or no line joins those without orientation."""
    placed = {_reference(frame) for group in groups for frame in group.frames}
    unplaced = [frame for frame in frames if _reference(frame) not in placed]
    found = []
    if missing := [frame for frame in unplaced if frame.position is None]:
        sentence = f"{_images(len(missing))} no position in the patient."
        found.append(Finding("missing_position", sentence, _uids(missing)))
    if astray := [frame for frame in unplaced if frame.position is not None]:
        sentence = (
            f"{_images(len(astray))} a position but no usable orientation, and cannot be ordered by it."
        )
        found.append(Finding("unordered_position", sentence, _uids(astray)))
    return found


def _images(count: int) -> str:
    return "1 image has" if count == 1 else f"{count} images have"


def _uids(frames: Iterable[FrameDescription]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(frame.sop_instance_uid for frame in frames))


def _explain_position(first: Stack, stacks: Sequence[Stack], total: int, has_normal: bool) -> str:
    middle = first.middle
    if total == 1:
        return "The series has one image."
    along = "the normal of the slices" if has_normal else "the line through the slices"
    sentence = f"Slice {middle.index + 1} of {middle.count}, ordered by position along {along}."
    if len(stacks) > 1:
        sentence += f" The series has {len(stacks)} stacks; this is the first"
        sentence += f" ({first.differs_by})." if first.differs_by else "."
    return sentence


def _arrange_by_number(
    frames: Sequence[FrameDescription], groups: Sequence[FrameGroup], main: FrameGroup | None
) -> Arrangement:
    stacks = _build_stacks(groups, main)
    order = tuple(_reference(frame) for frame in frames)
    verdict = _verdict_without_order(frames, groups, main)
    warnings = orientation_findings(frames)
    if groups or any(frame.position is not None for frame in frames):
        warnings.extend(_unplaced(frames, groups))
    return Arrangement(
        verdict=verdict,
        ordering=Ordering.INSTANCE_NUMBER,
        stacks=tuple(stacks or [_stack_without_geometry(frames)]),
        frames=order,
        middle=middle_of(order, (), None),
        warnings=tuple(warnings),
        explanation=_explain_number(verdict, frames, groups, main is not None),
    )


def _verdict_without_order(
    frames: Sequence[FrameDescription], groups: Sequence[FrameGroup], main: FrameGroup | None
) -> Verdict:
    if len(frames) == 1:
        return Verdict.SINGLE_IMAGE
    if main is None and groups:
        return Verdict.LOCALIZER
    if any(frame.is_multiframe for frame in frames) or main is not None:
        return Verdict.CINE
    return Verdict.NO_GEOMETRY


def _stack_without_geometry(frames: Sequence[FrameDescription]) -> Stack:
    frame = frames[0]
    return Stack(
        stack=0,
        frames=tuple(_reference(frame) for frame in frames),
        positions_mm=(None,) * len(frames),
        rows=frame.rows,
        columns=frame.columns,
        row_spacing_mm=frame.row_spacing_mm,
        column_spacing_mm=frame.column_spacing_mm,
        slice_spacing_mm=None,
        orientation_labels=orientation_labels(
            frame.orientation, frame.patient_orientation, is_quadruped=frame.is_quadruped
        ),
        differs_by=None,
        pixel_aspect_ratio=frame.pixel_aspect_ratio,
    )


def _explain_number(
    verdict: Verdict, frames: Sequence[FrameDescription], groups: Sequence[FrameGroup], is_placed: bool
) -> str:
    count = len(frames)
    place = f"image {count // 2 + 1} of {count}, ordered by instance number and frame number"
    subject = "frames" if verdict is Verdict.CINE else "images"
    if verdict is Verdict.SINGLE_IMAGE:
        return "The series has one image."
    if verdict is Verdict.LOCALIZER:
        return f"{_explain_groups(groups)}, so this is {place}."
    if is_placed:
        return f"The images all lie at one position in the patient, so this is {place}."
    if any(frame.position is not None for frame in frames):
        return f"The positions of the {subject} give no order, so this is {place}."
    return f"The {subject} have no position in the patient, so this is {place}."


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
