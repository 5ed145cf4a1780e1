"""What a measurement looks like in requests and answers."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from imageserver.api.parameters import InstanceUid, SeriesUid, StudyUid
from imageserver.measurements.content import (
    MAX_COORDINATE,
    MAX_LABEL_LENGTH,
    Calibration,
    Content,
    ImagePlace,
    MeasurementKind,
    Plane,
)

Number = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-1e12, le=1e12)]
Coordinate = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-MAX_COORDINATE, le=MAX_COORDINATE)]
Point = Annotated[list[Coordinate], Field(min_length=2, max_length=3)]


class Values(BaseModel):
    """What was measured, by whoever drew it; only the members that the kind has."""

    model_config = ConfigDict(extra="forbid")

    length_mm: Number | None = None
    length_px: Number | None = None
    angle_degrees: Number | None = None
    long_axis_mm: Number | None = None
    long_axis_px: Number | None = None
    short_axis_mm: Number | None = None
    short_axis_px: Number | None = None
    area_mm2: Number | None = None
    area_px2: Number | None = None
    pixel_count: Annotated[int, Field(strict=True, ge=0, le=2**53)] | None = None
    mean: Number | None = None
    standard_deviation: Number | None = None
    minimum: Number | None = None
    maximum: Number | None = None
    value_unit: Annotated[str, Field(max_length=64)] | None = Field(default=None, description="`HU` for CT.")
    calibration: Calibration | None = Field(
        default=None,
        description="What the mm rest on: spacing in the patient, a calibration, the detector (where everything is "
        "larger), a region of ultrasound, or nothing.",
    )


class MeasurementContent(BaseModel):
    """A measurement as a client sends it."""

    model_config = ConfigDict(extra="forbid")

    kind: MeasurementKind
    label: str = Field(default="", max_length=MAX_LABEL_LENGTH, description="One line of text.")
    study_instance_uid: StudyUid
    series_instance_uid: SeriesUid
    sop_instance_uid: InstanceUid = Field(description="Of a cut plane: any image of the stack that was cut.")
    frame_number: Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)] = Field(description="From 1.")
    plane: Plane = Plane.ACQUIRED
    points: list[Point] = Field(
        min_length=2,
        max_length=4,
        description="`[column, row]` on the image, (0, 0) the centre of its first pixel; `[x, y, z]` in mm (LPS) on a "
        "cut plane. Length: ends. Angle: end, vertex, end. Cobb: two lines. Rectangle: corners in order. Ellipse: ends "
        "of one axis, ends of the other. Arrow: tip, tail. Bidirectional: long axis, short axis.",
    )
    values: Values = Values()

    def to_content(self) -> Content:
        """Give what the room of the measurements understands."""
        place = ImagePlace(
            self.study_instance_uid,
            self.series_instance_uid,
            self.sop_instance_uid,
            self.frame_number,
            self.plane,
        )
        values = self.values.model_dump(mode="json", exclude_none=True)
        return Content(place, self.kind, self.label, self.points, values)


class Measurement(MeasurementContent):
    """A measurement as it is kept."""

    id: str
    version: str = Field(description="Another one whenever the content is; in quotes it is the `ETag`.")
    created: datetime
    updated: datetime


class MeasurementList(BaseModel):
    """The measurements of one user, the oldest first."""

    measurements: list[Measurement]
