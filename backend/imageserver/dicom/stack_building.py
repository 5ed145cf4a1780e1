"""Making the stacks of a series from groups of frames that lie in a row."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.arrangement import FrameReference, Matrix, Stack
from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.geometry import affine, common_step
from imageserver.dicom.orientation import orientation_labels, plane_name
from imageserver.dicom.places import FrameGroup
from imageserver.dicom.repeated_positions import Part
from imageserver.dicom.spacing import measured_spacing, step_tolerance
from imageserver.dicom.splitting import words_for


def build_stacks(
    groups: Sequence[FrameGroup], first: FrameGroup | None, unplaced: Sequence[FrameDescription]
) -> list[Stack]:
    """Make the stacks of all groups, those of `first` in front, and of the frames that lie nowhere, in their order."""
    in_order = [g for g in groups if g is first] + [g for g in groups if g is not first]
    has_sizes = len({(group.frames[0].rows, group.frames[0].columns) for group in groups}) > 1
    stacks: list[Stack] = []
    for group in in_order:
        words = _geometry_words(group.frames[0], has_sizes) if len(groups) > 1 else []
        stacks += [_placed(n, group, part, words) for n, part in enumerate(group.parts, start=len(stacks))]
    alike = _alike(unplaced)
    apart = ["no order by position"] if stacks else []
    for shown, frames in alike.items():
        label = ", ".join([*apart, *([shown] if len(alike) > 1 else [])]) or None
        stacks.append(_stack(len(stacks), frames, (None,) * len(frames), label))
    return _told_apart(stacks)


def _told_apart(stacks: Sequence[Stack]) -> list[Stack]:
    """Number stacks that the same words describe, as two coronal ones at an angle."""
    counts = Counter(stack.differs_by for stack in stacks)
    seen: Counter[str | None] = Counter()
    numbered = []
    for stack in stacks:
        words, count = stack.differs_by, counts[stack.differs_by]
        seen[words] += 1
        is_ambiguous = words is not None and count > 1
        numbered.append(
            replace(stack, differs_by=f"{words}, {seen[words]} of {count}") if is_ambiguous else stack
        )
    return numbered


def _geometry_words(frame: FrameDescription, has_sizes: bool) -> list[str]:
    """Say what tells the geometry of a group from those of the others."""
    words = ["no orientation" if frame.orientation is None else plane_name(frame.orientation)]
    return [*words, f"{frame.columns} × {frame.rows} pixels"] if has_sizes else words


def _alike(frames: Sequence[FrameDescription]) -> dict[str, list[FrameDescription]]:
    """Group frames without a place by what they show: size, energy window and detector, the object of tiles."""
    tiled = dict.fromkeys(frame.sop_instance_uid for frame in frames if frame.is_tile)
    number_of = {uid: number for number, uid in enumerate(tiled, start=1)}
    found: dict[str, list[FrameDescription]] = defaultdict(list)
    for frame in frames:
        words = [f"{frame.columns} × {frame.rows} pixels"]
        names = [name for name in ("energy_window", "detector") if name in frame.splitting]
        words += [words_for(names, [frame.splitting[name] for name in names])] if names else []
        if frame.is_tile:
            words.append(f"tiles of picture {number_of[frame.sop_instance_uid]}")
        found[", ".join(words)].append(frame)
    return found


def _placed(number: int, group: FrameGroup, part: Part, words: Sequence[str]) -> Stack:
    frames = [group.frames[i] for i in part.members]
    projections = group.projections[part.members]
    stack = _stack(
        number,
        frames,
        tuple(round(float(p), 4) for p in projections),
        ", ".join([*words, part.label] if part.label else words) or None,
    )
    return replace(
        stack,
        slice_spacing_mm=measured_spacing(projections),
        affine=_affine(frames[0], group.positions[part.members], projections),
    )


def _stack(
    number: int,
    frames: Sequence[FrameDescription],
    positions_mm: tuple[float | None, ...],
    differs_by: str | None,
) -> Stack:
    first = frames[0]
    return Stack(
        stack=number,
        frames=tuple(map(reference, frames)),
        positions_mm=positions_mm,
        rows=first.rows,
        columns=first.columns,
        row_spacing_mm=first.row_spacing_mm,
        column_spacing_mm=first.column_spacing_mm,
        slice_spacing_mm=None,
        orientation_labels=orientation_labels(
            None if first.is_in_volume else first.orientation,
            first.patient_orientation,
            is_quadruped=first.is_quadruped,
        ),
        differs_by=differs_by,
        pixel_aspect_ratio=first.pixel_aspect_ratio,
        slice_thickness_mm=first.slice_thickness_mm,
    )


def _affine(
    first: FrameDescription, positions: NDArray[np.float64], projections: NDArray[np.float64]
) -> Matrix | None:
    if first.orientation is None or first.row_spacing_mm is None or first.column_spacing_mm is None:
        return None
    step = common_step(positions, step_tolerance(measured_spacing(projections) or 0.0))
    if step is None or first.is_in_volume:
        return None
    x, y, z = (float(value) for value in positions[0])
    spacings = (first.row_spacing_mm, first.column_spacing_mm)
    matrix = affine((x, y, z), first.orientation, *spacings, step.tolist())
    return tuple(tuple(float(value) for value in row) for row in matrix)


def reference(frame: FrameDescription) -> FrameReference:
    """Return the address of a frame."""
    return FrameReference(frame.sop_instance_uid, frame.frame_number)
