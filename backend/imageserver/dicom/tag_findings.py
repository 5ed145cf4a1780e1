"""What the files say about the distance and the thickness of slices, against what their positions measure."""

from collections import Counter
from collections.abc import Iterable, Sequence

from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.limits import Finding
from imageserver.dicom.spacing import ROUNDING_MM

_TAG_TOLERANCE = 0.05


def tag_findings(
    frames: Sequence[FrameDescription], spacing_mm: float, step_length_mm: float
) -> list[Finding]:
    """Compare Spacing Between Slices and Slice Thickness with the measured distance.

    Parameters
    ----------
    frames : sequence of FrameDescription
        Of one stack.
    spacing_mm : float
        Distance between neighbouring slices along their normal.
    step_length_mm : float
        From one slice to the next: along the table, where the gantry is tilted.

    References
    ----------
    DICOM PS3.3 C.7.6.2 (Slice Thickness), C.8.3.1 and C.8.15.3 (Spacing Between Slices, from centre to centre)
    """
    tag = _most_common(frame.spacing_between_slices_mm for frame in frames)
    thickness = _most_common(frame.slice_thickness_mm for frame in frames)
    found = [
        _wrong_spacing(tag, thickness, spacing_mm, step_length_mm),
        _thickness(thickness, spacing_mm, step_length_mm),
    ]
    return [finding for finding in found if finding is not None]


def _most_common(values: Iterable[float | None]) -> float | None:
    """Return the value of most slices, the smallest of several; its sign says nothing about a distance."""
    counts = Counter(abs(value) for value in values if value)
    return min(counts, key=lambda value: (-counts[value], value)) if counts else None


def _agree(one: float, other: float) -> bool:
    return abs(one - other) <= max(ROUNDING_MM, _TAG_TOLERANCE * other)


def _wrong_spacing(
    tag: float | None, thickness: float | None, spacing: float, step_length: float
) -> Finding | None:
    if tag is None or _agree(tag, spacing) or _agree(tag, step_length):
        return None
    message = f"The files claim {tag:.2f} mm between slices; their positions are {spacing:.2f} mm apart."
    if thickness is not None and _agree(tag + thickness, spacing):
        message += " The claim fits the space between slices, not the distance of their centres."
    return Finding("spacing_mismatch", message, numbers={"tag_mm": tag, "measured_mm": spacing})


def _thickness(thickness: float | None, spacing: float, step_length: float) -> Finding | None:
    if thickness is None or _agree(thickness, spacing) or _agree(thickness, step_length):
        return None
    numbers = {"thickness_mm": thickness, "measured_mm": spacing}
    apart = f"Slices of {thickness:.2f} mm lie {spacing:.2f} mm apart"
    if thickness > spacing:
        overlap = thickness - spacing
        message = f"{apart}: neighbours overlap by {overlap:.2f} mm."
        return Finding("overlap", message, numbers={**numbers, "overlap_mm": round(overlap, 4)})
    space = spacing - thickness
    message = f"{apart}: {space:.2f} mm between neighbours were not imaged."
    return Finding("space_between_slices", message, numbers={**numbers, "space_mm": round(space, 4)})
