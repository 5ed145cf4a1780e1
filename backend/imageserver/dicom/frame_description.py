"""One frame in the terms that ordering needs: a plain value that the index keeps as JSON."""

from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Self

from imageserver.dicom.geometry import Orientation, Position

_TUPLES = (
    "position",
    "orientation",
    "written_orientation",
    "patient_orientation",
    "concatenation",
    "dimension_index",
)


@dataclass(frozen=True, slots=True)
class FrameDescription:
    """One frame, in the terms that ordering needs. What the file does not say is None.

    Attributes
    ----------
    sop_instance_uid : str
    frame_number : int
        From 1.
    instance_number : int or None
    rows, columns : int
    row_spacing_mm, column_spacing_mm : float or None
        Distance between the centres of neighbouring rows, and columns.
    pixel_aspect_ratio : float
        Height of a pixel divided by its width.
    position : tuple of 3 float or None
        Image Position (Patient), mm.
    orientation : tuple of 6 float or None
        Image Orientation (Patient), made a pair of axes where it nearly is one; None where it is far from one.
    written_orientation : tuple of float or None
        As it stands in the file, where `orientation` is not that.
    patient_orientation : tuple of 2 str or None
    is_quadruped : bool
        The sides of the patient have the names of animals.
    spacing_between_slices_mm, slice_thickness_mm : float or None
        As the file claims.
    is_multiframe : bool
        The object has more than one frame.
    concatenation : tuple of str and int, or None
        Concatenation UID, and the offset of the object's first frame in the whole.
    dimension_index : tuple of int or None
        Where the object itself puts the frame: Dimension Index Values, else Stack ID, In-Stack Position Number and
        Temporal Position Index, the vectors of nuclear medicine, the place of a tile.
    is_in_volume : bool
        Position and orientation are those in an ultrasound volume, not in the patient.
    is_tile : bool
        The frame is a part of a larger picture.
    splitting : dict of str to str
        The values that may separate frames at one position, by the names in the tables of `splitting`.
    """

    sop_instance_uid: str
    frame_number: int
    instance_number: int | None
    rows: int
    columns: int
    row_spacing_mm: float | None = None
    column_spacing_mm: float | None = None
    pixel_aspect_ratio: float = 1.0
    position: Position | None = None
    orientation: Orientation | None = None
    written_orientation: tuple[float, ...] | None = None
    patient_orientation: tuple[str, str] | None = None
    is_quadruped: bool = False
    spacing_between_slices_mm: float | None = None
    slice_thickness_mm: float | None = None
    is_multiframe: bool = False
    concatenation: tuple[str, int] | None = None
    dimension_index: tuple[int, ...] | None = None
    is_in_volume: bool = False
    is_tile: bool = False
    splitting: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Compact JSON form: defaults are left out."""
        return {
            name: value
            for name in _names()
            if (value := getattr(self, name)) is not None and value is not False and value != {}
        }

    def __reduce__(self) -> tuple[Any, ...]:
        # What dataclasses with slots do instead takes several times as long, for each frame that is read.
        return FrameDescription, tuple(getattr(self, name) for name in _names())

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild from `as_dict`, also after it went through JSON."""
        plain = dict(values)
        plain.setdefault("instance_number", None)
        for name in _TUPLES:
            if plain.get(name) is not None:
                plain[name] = tuple(plain[name])
        return cls(**plain)


@cache
def _names() -> tuple[str, ...]:
    return tuple(field.name for field in fields(FrameDescription))
