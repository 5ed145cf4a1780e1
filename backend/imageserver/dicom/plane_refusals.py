"""Which stacks can be cut in other planes, and why the others cannot."""

from typing import NamedTuple

import numpy as np

from imageserver.dicom.arrangement import Stack
from imageserver.dicom.planes import Plane, PlaneName, grid_of, planes_of, tilt_degrees
from imageserver.dicom.spacing import is_even, steps_between

_GAP_FACTOR = 1.5
# Beyond, straightened slices would lie beside each other rather than behind.
MOST_TILT_DEGREES = 45.0
# Of a series whose images lie in several directions: fewer than so many in one of them are there to plan by.
_FEW_SLICES = 10
_GREY = frozenset({"MONOCHROME1", "MONOCHROME2"})
_HUMAN = frozenset("LRAPHF")


class Refusal(NamedTuple):
    """Why a stack has no planes: a code and a sentence."""

    code: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """JSON form."""
        return self._asdict()


def describe_planes(
    stack: Stack, photometric_interpretation: str | None, most_voxels: int, *, is_localizer: bool = False
) -> dict[PlaneName, Plane] | Refusal:
    """Describe the planes of a stack, or say why it has none.

    Parameters
    ----------
    stack : Stack
        Of an arrangement.
    photometric_interpretation : str or None
        Of its pixels; None where it is not known, which refuses nothing.
    most_voxels : int
        What can be kept while planes are made.
    is_localizer : bool
        Whether the verdict on the series is that its images lie in several directions.
    """
    refusal = refuse_planes(stack, photometric_interpretation, most_voxels, is_localizer=is_localizer)
    return refusal or planes_of(grid_of(stack), is_quadruped=is_of_quadruped(stack))


def is_of_quadruped(stack: Stack) -> bool:
    """Tell whether the sides of the stack are named in the codes of animals."""
    labels = stack.orientation_labels
    return labels is not None and not set("".join(labels)) <= _HUMAN


def refuse_planes(
    stack: Stack, photometric_interpretation: str | None, most_voxels: int, *, is_localizer: bool = False
) -> Refusal | None:
    """Say why a stack cannot be cut in other planes; None where it can. Parameters as `describe_planes`."""
    if is_localizer and stack.count > 1 and stack.count < _FEW_SLICES:
        return Refusal("localizer", "This is a localizer: a few images in each of several directions.")
    refusal = refuse_matrix(stack) or _refuse_tilt(stack)
    if refusal is not None:
        return refusal
    if photometric_interpretation is not None and photometric_interpretation not in _GREY:
        return Refusal("colour", "The slices are colour pictures; values between two colours mean nothing.")
    voxels = stack.count * stack.rows * stack.columns
    if voxels > most_voxels:
        return Refusal(
            "too_large",
            f"{stack.count} slices of {stack.columns} × {stack.rows} pixels are {voxels / 1e6:.0f} million voxels; "
            f"the server cuts up to {most_voxels / 1e6:.0f} million.",
        )
    return None


def refuse_matrix(stack: Stack) -> Refusal | None:
    """Say why no matrix takes the indices of a stack to the patient; None where its `affine` does, sheared or not."""
    if stack.count < 2:
        return Refusal("one_slice", "There is only one slice.")
    if any(position is None for position in stack.positions_mm):
        return Refusal("not_a_volume", "The images do not say where in the patient they lie.")
    if stack.row_spacing_mm is None or stack.column_spacing_mm is None:
        return Refusal("no_pixel_spacing", "The images do not say how large their pixels are.")
    # Images at one place have a matrix, too: its third column is 0, so it leads nowhere.
    if stack.affine is None or not len(steps_between(np.array(stack.positions_mm, np.float64))):
        return _refuse_places(stack)
    return None


def _refuse_tilt(stack: Stack) -> Refusal | None:
    tilt = tilt_degrees(stack)
    if tilt > MOST_TILT_DEGREES:
        return Refusal(
            "tilted",
            f"The slices are sheared by {tilt:.0f}°; up to {MOST_TILT_DEGREES:.0f}° is straightened.",
        )
    return None


def _refuse_places(stack: Stack) -> Refusal:
    """Say why one matrix does not place every slice."""
    positions = np.array(stack.positions_mm, np.float64)
    steps = steps_between(positions)
    if not len(steps):
        return Refusal("one_place", "All images lie at the same place.")
    if len(steps) < stack.count - 1:
        return Refusal("repeated_positions", "Several images lie at the same place.")
    median, largest, smallest = float(np.median(steps)), float(steps.max()), float(steps.min())
    if largest > _GAP_FACTOR * median:
        return Refusal(
            "gaps",
            f"Slices are missing: neighbours are up to {largest:.2f} mm apart, mostly {median:.2f} mm.",
        )
    if not is_even(steps):
        return Refusal(
            "unequal_spacing",
            f"The slices are not equally far from each other: {smallest:.2f} mm to {largest:.2f} mm.",
        )
    return Refusal("not_a_volume", "The slices do not lie behind each other on one straight line.")
