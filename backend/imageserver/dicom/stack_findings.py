"""What is irregular about an ordered stack: gaps, duplicates, uneven steps, tilt, a wrong spacing tag."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.limits import Finding

# Positions are written with few digits: steps may differ by this much and still be equal.
_ROUNDING_MM = 0.02
_STEP_TOLERANCE = 0.01
_GAP_FACTOR = 1.5
_TAG_TOLERANCE = 0.05
_TILT_DEGREES = 0.5
_NAMED = 20


def steps_between(projections: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distances between neighbours in an ordered stack, leaving out repeated positions, in mm."""
    steps = np.diff(projections)
    return steps[steps > _ROUNDING_MM / 2]


def measured_spacing(projections: NDArray[np.float64]) -> float | None:
    """Return the median distance between neighbours in mm; None for fewer than two positions."""
    steps = steps_between(projections)
    return round(float(np.median(steps)), 4) if len(steps) else None


def is_uniform(projections: NDArray[np.float64]) -> bool:
    """Tell whether all steps are equal, within rounding and 1 %."""
    steps = steps_between(projections)
    if not len(steps):
        return True
    median = float(np.median(steps))
    return bool(np.all(np.abs(steps - median) <= _ROUNDING_MM + _STEP_TOLERANCE * median))


def tilt_degrees(positions: NDArray[np.float64], projections: NDArray[np.float64]) -> float:
    """Return the angle between the line through the slices and their normal, in degrees (gantry tilt)."""
    whole = float(np.linalg.norm(positions[-1] - positions[0]))
    along = float(abs(projections[-1] - projections[0]))
    return float(np.degrees(np.arccos(min(1.0, along / whole)))) if whole else 0.0


def is_tilted(positions: NDArray[np.float64], projections: NDArray[np.float64]) -> bool:
    """Tell whether the slices are sheared against each other."""
    return len(positions) > 1 and tilt_degrees(positions, projections) > _TILT_DEGREES


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
    found = [
        _duplicates(frames, projections),
        _gaps(frames, projections),
        _uneven(projections),
        _tilt(positions, projections),
        _wrong_tag(frames, projections),
    ]
    return [finding for finding in found if finding is not None]


def orientation_findings(frames: Sequence[FrameDescription]) -> list[Finding]:
    """Name the frames whose orientation was corrected, is of no use, or is missing though they have a position."""
    inexact = [i for i, f in enumerate(frames) if f.written_orientation and f.orientation]
    bad = [i for i, f in enumerate(frames) if f.written_orientation and not f.orientation]
    missing = [
        i for i, f in enumerate(frames) if f.position and not f.orientation and not f.written_orientation
    ]
    sentences = (
        (
            "inexact_orientation",
            inexact,
            "direction cosines that are not exactly two axes; the nearest are used",
        ),
        ("bad_orientation", bad, "direction cosines that are no axes; they are not used"),
        ("missing_orientation", missing, "a position but no orientation"),
    )
    return [
        Finding(
            code,
            f"{len(members)} {'image has' if len(members) == 1 else 'images have'} {text}.",
            _uids(frames, members),
        )
        for code, members, text in sentences
        if members
    ]


def _duplicates(frames: Sequence[FrameDescription], projections: NDArray[np.float64]) -> Finding | None:
    repeats = np.flatnonzero(np.diff(projections) <= _ROUNDING_MM / 2)
    if not len(repeats):
        return None
    members = sorted({int(i) for i in repeats} | {int(i) + 1 for i in repeats})
    places = len(members) - len(repeats)
    where = "1 position" if places == 1 else f"{places} positions"
    return Finding(
        "duplicate_positions",
        f"{len(members)} images share {where}; nothing in the files tells them apart.",
        _uids(frames, members),
    )


def _gaps(frames: Sequence[FrameDescription], projections: NDArray[np.float64]) -> Finding | None:
    spacing = measured_spacing(projections)
    if spacing is None:
        return None
    steps = np.diff(projections)
    gaps = np.flatnonzero(steps > _GAP_FACTOR * spacing + _ROUNDING_MM)
    if not len(gaps):
        return None
    first = int(gaps[0])
    message = (
        f"Between slices {first + 1} and {first + 2} there are {steps[first]:.2f} mm, "
        f"elsewhere {spacing:.2f} mm: slices may be missing."
    )
    if len(gaps) > 1:
        message += f" There are {len(gaps)} such gaps."
    return Finding("gap", message, _uids(frames, [i for gap in gaps for i in (int(gap), int(gap) + 1)]))


def _uneven(projections: NDArray[np.float64]) -> Finding | None:
    if is_uniform(projections):
        return None
    steps = steps_between(projections)
    return Finding(
        "variable_spacing",
        f"The distance between neighbouring slices varies from {steps.min():.2f} to {steps.max():.2f} mm.",
    )


def _tilt(positions: NDArray[np.float64], projections: NDArray[np.float64]) -> Finding | None:
    if not is_tilted(positions, projections):
        return None
    angle = tilt_degrees(positions, projections)
    return Finding(
        "tilted", f"The slices are sheared against each other by {angle:.1f} degrees, as by a tilted gantry."
    )


def _wrong_tag(frames: Sequence[FrameDescription], projections: NDArray[np.float64]) -> Finding | None:
    measured = measured_spacing(projections)
    tags = Counter(frame.spacing_between_slices_mm for frame in frames if frame.spacing_between_slices_mm)
    if measured is None or not tags:
        return None
    tag = abs(tags.most_common(1)[0][0])
    if abs(tag - measured) <= max(_ROUNDING_MM, _TAG_TOLERANCE * measured):
        return None
    return Finding(
        "spacing_mismatch",
        f"The files claim {tag:.2f} mm between slices; their positions are {measured:.2f} mm apart.",
    )


def _uids(frames: Sequence[FrameDescription], members: Sequence[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(frames[i].sop_instance_uid for i in members))[:_NAMED]
