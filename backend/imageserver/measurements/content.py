"""What a measurement says: its kind, the image that it lies on, its points and what was measured."""

import hashlib
import json
import math
import unicodedata
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from imageserver.errors import InvalidParameter

MAX_LABEL_LENGTH = 300
# Beyond any image in pixels, and any patient in mm.
MAX_COORDINATE = 1_000_000.0
VERSION_LENGTH = 32
# Controls, halves of surrogate pairs, separators of lines and of paragraphs: a label is one line of text.
_NOT_IN_A_LABEL = frozenset({"Cc", "Cs", "Zl", "Zp"})


class MeasurementKind(StrEnum):
    """What is measured, in the words of the viewer's tools."""

    LENGTH = "length"
    ANGLE = "angle"
    COBB = "cobb"
    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    ARROW = "arrow"
    BIDIRECTIONAL = "bidirectional"


class Plane(StrEnum):
    """The plane that it was drawn on: the image as acquired, or one cut through its volume."""

    ACQUIRED = "acquired"
    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


class Calibration(StrEnum):
    """What the millimetres rest on (PS3.3 10.7.1.3)."""

    PATIENT = "patient"  # Pixel Spacing of a cross section: mm in the patient
    CALIBRATED = "calibrated"  # projection with a calibration, by geometry or an object of known size
    DETECTOR = "detector"  # projection without one: mm at the detector, where everything is larger
    REGION = "region"  # a region of an ultrasound image (PS3.3 C.8.5.5)
    NONE = "none"  # no spacing is known: pixels


POINTS = {
    MeasurementKind.LENGTH: 2,  # ends
    MeasurementKind.ANGLE: 3,  # end, vertex, end
    MeasurementKind.COBB: 4,  # ends of one line, ends of the other
    MeasurementKind.RECTANGLE: 4,  # corners, in the order around
    MeasurementKind.ELLIPSE: 4,  # ends of one axis, ends of the other, as PS3.3 C.18.6.1.2
    MeasurementKind.ARROW: 2,  # tip, tail
    MeasurementKind.BIDIRECTIONAL: 4,  # ends of the long axis, ends of the short one
}
_REGION = frozenset({
    "area_mm2", "area_px2", "mean", "standard_deviation", "minimum", "maximum", "pixel_count", "value_unit",
    "calibration",
})  # fmt: skip
VALUES = {
    MeasurementKind.LENGTH: frozenset({"length_mm", "length_px", "calibration"}),
    MeasurementKind.ANGLE: frozenset({"angle_degrees"}),
    MeasurementKind.COBB: frozenset({"angle_degrees"}),
    MeasurementKind.RECTANGLE: _REGION,
    MeasurementKind.ELLIPSE: _REGION,
    MeasurementKind.ARROW: frozenset[str](),
    MeasurementKind.BIDIRECTIONAL: frozenset(
        {"long_axis_mm", "long_axis_px", "short_axis_mm", "short_axis_px", "calibration"}
    ),
}


@dataclass(frozen=True)
class ImagePlace:
    """The image that a measurement lies on; of a cut plane, one image of the stack that was cut."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    frame_number: int
    plane: Plane


@dataclass(frozen=True)
class Content:
    """A measurement without its history.

    Attributes
    ----------
    points : list of list of float
        ``[column, row]`` on the image, continuous, (0, 0) the centre of the first pixel; on a cut plane
        ``[x, y, z]`` in mm (LPS; PS3.3 C.7.6.2.1.1). Their order by kind: `POINTS`.
    values : dict of str
        What was measured; units end the names. Which ones a kind may have: `VALUES`.
    """

    place: ImagePlace
    kind: MeasurementKind
    label: str
    points: list[list[float]]
    values: dict[str, float | int | str] = field(default_factory=dict)

    def version(self) -> str:
        """Return a digest: the same content has the same version, wherever and whenever it was written."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:VERSION_LENGTH]


def check_content(content: Content) -> None:
    """Check what the kind of a measurement demands.

    Raises
    ------
    InvalidParameter
        If there are too few or too many points or coordinates, one that is no usable number, a value that the kind
        does not have, or a label that is no line of text.
    """
    _check_label(content.label)
    _check_points(content)
    _check_values(content)


def _check_label(label: str) -> None:
    if len(label) > MAX_LABEL_LENGTH:
        raise InvalidParameter(f"label: {len(label)} characters; at most {MAX_LABEL_LENGTH} are allowed.")
    if any(unicodedata.category(character) in _NOT_IN_A_LABEL for character in label):
        raise InvalidParameter("label: must be one line of text, without control characters.")


def _check_points(content: Content) -> None:
    wanted = POINTS[content.kind]
    if len(content.points) != wanted:
        raise InvalidParameter(f"points: {content.kind} has {wanted} points, not {len(content.points)}.")
    coordinates = 2 if content.place.plane is Plane.ACQUIRED else 3
    for point in content.points:
        if len(point) != coordinates:
            raise InvalidParameter(
                f"points: on the plane {content.place.plane} each has {coordinates} numbers."
            )
        if not all(math.isfinite(number) and abs(number) <= MAX_COORDINATE for number in point):
            raise InvalidParameter(f"points: numbers must lie within ±{MAX_COORDINATE:.0f}.")


def _check_values(content: Content) -> None:
    unknown = sorted(set(content.values) - VALUES[content.kind])
    if unknown:
        raise InvalidParameter(f"values: {content.kind} has no {', '.join(unknown)}.")
    numbers = (value for value in content.values.values() if not isinstance(value, str))
    if not all(math.isfinite(number) for number in numbers):
        raise InvalidParameter("values: numbers must be finite.")
    _check_label(str(content.values.get("value_unit", "")))
