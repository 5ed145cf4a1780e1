"""What is irregular about an ordered stack: gaps, duplicates, uneven steps, tilt, slices beside the line."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.limits import Finding
from imageserver.dicom.spacing import (
    ROUNDING_MM,
    Line,
    beside_the_line,
    is_even,
    is_tilted,
    line_of,
    measured_spacing,
    steps_between,
)
from imageserver.dicom.tag_findings import tag_findings

_GAP_FACTOR = 1.5
# A gap of so nearly a whole number of steps tells how many slices are missing.
_WHOLE_TOLERANCE = 0.1
_NAMED = 20


def find_irregularities(
    frames: Sequence[FrameDescription], projections: NDArray[np.float64], positions: NDArray[np.float64]
) -> list[Finding]:
    """Check one stack.

    Parameters
    ----------
    frames : sequence of FrameDescription
        In order.
    projections : numpy.ndarray, shape (n,), mm
        Their places along the normal, ascending.
    positions : numpy.ndarray, shape (n, 3), mm
        Image Position (Patient) of each.

    Returns
    -------
    list of Finding
        At most one of each code.
    """
    spacing = measured_spacing(projections)
    duplicates = _duplicates(frames, projections)
    if spacing is None:
        return [duplicates] if duplicates else []
    line = line_of(positions, projections)
    found = [
        duplicates,
        _gaps(frames, projections, spacing),
        _uneven(projections, spacing),
        _tilt(line),
        _beside(frames, line, spacing),
    ]
    step_length = spacing / np.cos(np.radians(line.tilt_degrees))
    return [finding for finding in found if finding is not None] + tag_findings(frames, spacing, step_length)


def _duplicates(frames: Sequence[FrameDescription], projections: NDArray[np.float64]) -> Finding | None:
    repeats = np.flatnonzero(np.diff(projections) <= ROUNDING_MM / 2)
    if not len(repeats):
        return None
    members = sorted({int(i) for i in repeats} | {int(i) + 1 for i in repeats})
    places = len(members) - len(repeats)
    where = "1 position" if places == 1 else f"{places} positions"
    return Finding(
        "duplicate_positions",
        f"{len(members)} images share {where}; nothing in the files tells them apart.",
        _uids(frames, members),
        {"images": len(members), "positions": places},
    )


def _is_gap(steps: NDArray[np.float64], spacing: float) -> NDArray[np.bool_]:
    return np.asarray(steps > _GAP_FACTOR * spacing + ROUNDING_MM)


def _gaps(
    frames: Sequence[FrameDescription], projections: NDArray[np.float64], spacing: float
) -> Finding | None:
    steps = np.diff(projections)
    gaps = np.flatnonzero(_is_gap(steps, spacing))
    if not len(gaps):
        return None
    first = int(gaps[0])
    message = (
        f"Between slices {first + 1} and {first + 2} there are {steps[first]:.2f} mm, "
        f"elsewhere {spacing:.2f} mm: {_absent(frames[first], float(steps[first]) / spacing)}."
    )
    if len(gaps) > 1:
        message += f" There are {len(gaps)} such gaps."
    numbers = {
        "gaps": len(gaps),
        "after_slice": first + 1,
        "gap_mm": round(float(steps[first]), 4),
        "spacing_mm": spacing,
        "missing_slices": int(np.maximum(np.rint(steps[gaps] / spacing) - 1, 1).sum()),
    }
    uids = _uids(frames, [i for gap in gaps for i in (int(gap), int(gap) + 1)])
    return Finding("gap", message, uids, numbers)


def _absent(frame: FrameDescription, steps: float) -> str:
    """Say what may have been in a gap of so many steps."""
    if "segment" in frame.splitting:
        return "segmentations may leave out slices without the segment"
    missing = round(steps) - 1
    if abs(steps - round(steps)) > _WHOLE_TOLERANCE:
        return "slices may be missing"
    return "1 slice may be missing" if missing == 1 else f"{missing} slices may be missing"


def _uneven(projections: NDArray[np.float64], spacing: float) -> Finding | None:
    """Name steps that vary, where that is more than a few gaps in even steps."""
    steps = steps_between(projections)
    if is_even(steps[~_is_gap(steps, spacing)]):
        return None
    return Finding(
        "variable_spacing",
        f"The distance between neighbouring slices varies from {steps.min():.2f} to {steps.max():.2f} mm.",
        numbers={
            "smallest_mm": round(float(steps.min()), 4),
            "median_mm": spacing,
            "largest_mm": round(float(steps.max()), 4),
        },
    )


def _tilt(line: Line) -> Finding | None:
    if not is_tilted(line):
        return None
    return Finding(
        "tilted",
        f"The slices are sheared against each other by {line.tilt_degrees:.1f} degrees, as by a tilted gantry.",
        numbers={"tilt_degrees": round(line.tilt_degrees, 2)},
    )


def _beside(frames: Sequence[FrameDescription], line: Line, spacing: float) -> Finding | None:
    beside = beside_the_line(line, spacing)
    if not len(beside):
        return None
    furthest = float(line.beside_mm.max())
    if 2 * len(beside) > len(frames):
        message = f"The slices do not lie on one line; they are up to {furthest:.2f} mm beside it."
    elif len(beside) == 1:
        message = f"Slice {int(beside[0]) + 1} lies {furthest:.2f} mm beside the line through the others."
    else:
        message = f"{len(beside)} slices lie up to {furthest:.2f} mm beside the line through the others."
    numbers = {"images": len(beside), "first_slice": int(beside[0]) + 1, "beside_mm": round(furthest, 4)}
    return Finding("beside_the_line", message, _uids(frames, [int(i) for i in beside]), numbers)


def _uids(frames: Sequence[FrameDescription], members: Sequence[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(frames[i].sop_instance_uid for i in members))[:_NAMED]
