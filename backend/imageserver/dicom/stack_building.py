"""Making the stacks of a series from groups of frames that lie in a row."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.arrangement import FrameReference, Matrix, Stack
from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.geometry import affine, common_step
from imageserver.dicom.orientation import orientation_labels, plane_name
from imageserver.dicom.places import FrameGroup
from imageserver.dicom.repeated_positions import Part
from imageserver.dicom.spacing import measured_spacing, step_tolerance


def build_stacks(groups: Sequence[FrameGroup], first: FrameGroup | None) -> list[Stack]:
    """Make the stacks of all groups, those of `first` in front."""
    in_order = [g for g in groups if g is first] + [g for g in groups if g is not first]
    has_sizes = len({(group.frames[0].rows, group.frames[0].columns) for group in groups}) > 1
    stacks: list[Stack] = []
    for group in in_order:
        words = _geometry_words(group.frames[0], has_sizes) if len(groups) > 1 else []
        for part in group.parts:
            stacks.append(_build_stack(len(stacks), group, part, words))
    return stacks


def _geometry_words(frame: FrameDescription, has_sizes: bool) -> list[str]:
    """Say what tells the geometry of a group from those of the others."""
    words = ["no orientation" if frame.orientation is None else plane_name(frame.orientation)]
    return [*words, f"{frame.columns} × {frame.rows} pixels"] if has_sizes else words


def _build_stack(number: int, group: FrameGroup, part: Part, words: Sequence[str]) -> Stack:
    frame = group.frames[part.members[0]]
    projections = group.projections[part.members]
    return Stack(
        stack=number,
        frames=tuple(reference(group.frames[i]) for i in part.members),
        positions_mm=tuple(round(float(p), 4) for p in projections),
        rows=frame.rows,
        columns=frame.columns,
        row_spacing_mm=frame.row_spacing_mm,
        column_spacing_mm=frame.column_spacing_mm,
        slice_spacing_mm=measured_spacing(projections),
        orientation_labels=orientation_labels(
            frame.orientation, frame.patient_orientation, is_quadruped=frame.is_quadruped
        ),
        differs_by=", ".join([*words, part.label] if part.label else words) or None,
        pixel_aspect_ratio=frame.pixel_aspect_ratio,
        slice_thickness_mm=frame.slice_thickness_mm,
        affine=_affine(frame, group.positions[part.members], projections),
    )


def _affine(
    first: FrameDescription, positions: NDArray[np.float64], projections: NDArray[np.float64]
) -> Matrix | None:
    if first.orientation is None or first.row_spacing_mm is None or first.column_spacing_mm is None:
        return None
    step = common_step(positions, step_tolerance(measured_spacing(projections) or 0.0))
    if step is None:
        return None
    x, y, z = (float(value) for value in positions[0])
    spacings = (first.row_spacing_mm, first.column_spacing_mm)
    matrix = affine((x, y, z), first.orientation, *spacings, step.tolist())
    return tuple(tuple(float(value) for value in row) for row in matrix)


def reference(frame: FrameDescription) -> FrameReference:
    """Return the address of a frame."""
    return FrameReference(frame.sop_instance_uid, frame.frame_number)


def stack_without_geometry(frames: Sequence[FrameDescription]) -> Stack:
    """Make one stack of frames without positions, in the order given."""
    frame = frames[0]
    return Stack(
        stack=0,
        frames=tuple(reference(frame) for frame in frames),
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
