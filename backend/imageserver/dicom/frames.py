"""What each frame of an object is: its size, its place, and what tells it from others at the same place."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from pydicom.dataset import Dataset

from imageserver.dicom.attributes import instance_address
from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.geometry import Orientation, Position, corrected_orientation, plane_normal
from imageserver.dicom.nuclear_medicine import ReconstructedSlices
from imageserver.dicom.reading import Header
from imageserver.dicom.values import first_item, integer, number, numbers, text, texts, written_value

# In the order in which they are tried to split repeated positions: attribute, then (functional group,
# keyword) pairs; the group None is the data set itself.
_SPLITTING: dict[str, tuple[tuple[str | None, str], ...]] = {
    "segment": (("SegmentIdentificationSequence", "ReferencedSegmentNumber"),),
    "temporal_position": (
        ("FrameContentSequence", "TemporalPositionIndex"),
        (None, "TemporalPositionIdentifier"),
    ),
    "acquisition": (("FrameContentSequence", "FrameAcquisitionNumber"), (None, "AcquisitionNumber")),
    "echo": (("MREchoSequence", "EffectiveEchoTime"), (None, "EchoNumbers")),
    "echo_time": ((None, "EchoTime"),),
    "b_value": (("MRDiffusionSequence", "DiffusionBValue"), (None, "DiffusionBValue")),
    "diffusion_gradient": ((None, "DiffusionGradientOrientation"),),
    "cardiac_phase": (
        ("CardiacSynchronizationSequence", "NominalPercentageOfCardiacPhase"),
        ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
        (None, "TriggerTime"),
    ),
    "convolution_kernel": (
        ("CTReconstructionSequence", "ConvolutionKernel"),
        (None, "ConvolutionKernel"),
    ),
    "time": (
        ("TemporalPositionSequence", "TemporalPositionTimeOffset"),
        ("FrameContentSequence", "FrameReferenceDateTime"),
        (None, "FrameReferenceTime"),
    ),
    "acquisition_time": (
        ("FrameContentSequence", "FrameAcquisitionDateTime"),
        (None, "AcquisitionDateTime"),
        (None, "AcquisitionTime"),
    ),
    "content_time": ((None, "ContentTime"),),
    "image_type": (
        ("MRImageFrameTypeSequence", "FrameType"),
        ("CTImageFrameTypeSequence", "FrameType"),
        ("PETFrameTypeSequence", "FrameType"),
        (None, "ImageType"),
    ),
    "stack_id": (("FrameContentSequence", "StackID"),),
}
SPLITTING_ATTRIBUTES = tuple(_SPLITTING)
_SAME_PLACE_MM = 0.01
_AXIAL_COSINE = 0.99
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
    spacing_between_slices_mm : float or None
        As the file claims.
    is_multiframe : bool
        The object has more than one frame.
    concatenation : tuple of str and int, or None
        Concatenation UID, and the offset of the object's first frame in the whole.
    dimension_index : tuple of int or None
        Dimension Index Values, else In-Stack Position Number, where there is no position.
    splitting : dict of str to str
        The values that may separate frames at one position, by the names in `SPLITTING_ATTRIBUTES`.
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
    is_multiframe: bool = False
    concatenation: tuple[str, int] | None = None
    dimension_index: tuple[int, ...] | None = None
    splitting: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Compact JSON form: defaults are left out."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {k: v for k, v in values.items() if v is not None and v is not False and v != {}}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild from `as_dict`, also after it went through JSON."""
        plain = dict(values)
        plain.setdefault("instance_number", None)
        for name in _TUPLES:
            if plain.get(name) is not None:
                plain[name] = tuple(plain[name])
        return cls(**plain)


def describe_frames(header: Header) -> list[FrameDescription]:
    """Describe the frames of an object.

    Parameters
    ----------
    header : Header
        As `read_header` gives it.

    Returns
    -------
    list of FrameDescription
        In stored order, one per frame; empty for an object without pixel data. A missing or malformed SOP
        Instance UID is replaced by a derived one (`attributes.instance_address`).

    References
    ----------
    DICOM PS3.3 C.7.6.2, C.7.6.16.2, C.8.8.3.2 (Grid Frame Offset Vector)
    """
    return list(_Describer(header).describe()) if header.image is not None else []


class _Describer:
    def __init__(self, header: Header) -> None:
        assert header.image is not None
        self.image = header.image
        self.dataset = header.dataset
        self.groups = FunctionalGroups(header.dataset)
        self.uid = instance_address(header.dataset, header.file_meta).sop_instance_uid
        self.instance_number = integer(header.dataset, "InstanceNumber")
        self.reconstructed = ReconstructedSlices(header.dataset, self.image.number_of_frames)
        self.concatenation = self._concatenation()
        self.patient_orientation = self._patient_orientation()
        # Where the planes of a dose grid lie: along the normal from the first, or as z coordinates.
        self.grid_offsets = numbers(header.dataset, "GridFrameOffsetVector")
        self.of_the_object = {
            keyword: written_value(header.dataset, keyword)
            for pairs in _SPLITTING.values()
            for group, keyword in pairs
            if group is None
        }

    def describe(self) -> Iterator[FrameDescription]:
        first = self._describe_frame(0)
        yield first
        for index in range(1, self.image.number_of_frames):
            if self.groups.is_present:
                yield self._describe_frame(index)
            else:  # only place and time can differ
                position = self._position(index, first.orientation)
                splitting = {**first.splitting, **self._time_slot(index)}
                yield replace(first, frame_number=index + 1, position=position, splitting=splitting)

    def _describe_frame(self, index: int) -> FrameDescription:
        written = self._written_orientation(index)
        orientation = _axes(written)
        measures = self.groups.source("PixelMeasuresSequence", index)
        row_spacing, column_spacing = self._spacing(measures)
        position = self._position(index, orientation)
        return FrameDescription(
            sop_instance_uid=self.uid,
            frame_number=index + 1,
            instance_number=self.instance_number,
            rows=self.image.rows,
            columns=self.image.columns,
            row_spacing_mm=row_spacing,
            column_spacing_mm=column_spacing,
            pixel_aspect_ratio=self._aspect_ratio(row_spacing, column_spacing),
            position=position,
            orientation=orientation,
            written_orientation=written if written and written != orientation else None,
            patient_orientation=self.patient_orientation,
            is_quadruped=text(self.dataset, "AnatomicalOrientationType") == "QUADRUPED",
            spacing_between_slices_mm=number(measures, "SpacingBetweenSlices"),
            is_multiframe=self.image.number_of_frames > 1,
            concatenation=self.concatenation,
            dimension_index=self._dimension_index(index) if position is None else None,
            splitting=self._splitting(index),
        )

    def _concatenation(self) -> tuple[str, int] | None:
        """Return which whole the object is part of, and where it begins in it (PS3.3 C.7.6.16.2.2.4)."""
        uid = text(self.dataset, "ConcatenationUID")
        offset = integer(self.dataset, "ConcatenationFrameOffsetNumber")
        if offset is None:
            offset = integer(self.dataset, "InConcatenationNumber")
        return None if uid is None or offset is None else (uid, offset)

    def _dimension_index(self, index: int) -> tuple[int, ...] | None:
        content = self.groups.find("FrameContentSequence", index)
        if content is None:
            return None
        values = numbers(content, "DimensionIndexValues") or numbers(content, "InStackPositionNumber")
        return tuple(int(value) for value in values) or None

    def _written_orientation(self, index: int) -> tuple[float, ...]:
        source = self.groups.source("PlaneOrientationSequence", index)
        return tuple(numbers(source, "ImageOrientationPatient")) or self.reconstructed.orientation()

    def _position(self, index: int, orientation: Orientation | None) -> Position | None:
        plane = self.groups.find("PlanePositionSequence", index)
        if plane is None and (place := self.reconstructed.position(index, orientation)) is not None:
            return place
        values = numbers(self.dataset if plane is None else plane, "ImagePositionPatient")
        if len(values) != 3:
            return None
        x, y, z = values
        if plane is not None or self.image.number_of_frames == 1:
            return (x, y, z)
        return self._grid_position((x, y, z), index, orientation)

    def _grid_position(self, start: Position, index: int, orientation: Orientation | None) -> Position | None:
        """Return where a plane of a dose grid lies; frames of other classic objects have no position of their own."""
        if orientation is None or len(self.grid_offsets) != self.image.number_of_frames:
            return None
        x, y, z = start
        normal = plane_normal(orientation)
        first, offset = self.grid_offsets[0], self.grid_offsets[index]
        if first != 0 and abs(first - z) < _SAME_PLACE_MM and abs(normal[2]) > _AXIAL_COSINE:
            return (x, y, offset)  # C.8.8.3.2 b): z coordinates, whatever side the normal points to
        step = normal * (offset - first)
        return (x + float(step[0]), y + float(step[1]), z + float(step[2]))

    def _spacing(self, measures: Dataset) -> tuple[float | None, float | None]:
        """Return the spacing of rows and columns, at the patient where it is known, else at the detector."""
        for source, keyword in (
            (measures, "PixelSpacing"),
            (self.dataset, "ImagerPixelSpacing"),
            (self.dataset, "NominalScannedPixelSpacing"),
        ):
            values = numbers(source, keyword)
            if len(values) == 2 and min(values) > 0:
                return values[0], values[1]
        return None, None

    def _aspect_ratio(self, row_spacing: float | None, column_spacing: float | None) -> float:
        if row_spacing and column_spacing:
            return row_spacing / column_spacing
        ratio = numbers(self.dataset, "PixelAspectRatio")  # vertical size \ horizontal size
        return ratio[0] / ratio[1] if len(ratio) == 2 and min(ratio) > 0 else 1.0

    def _patient_orientation(self) -> tuple[str, str] | None:
        values = texts(self.dataset, "PatientOrientation")
        return (values[0], values[1]) if len(values) == 2 and all(values) else None

    def _splitting(self, index: int) -> dict[str, str]:
        found = ((name, self._splitting_value(name, index)) for name in SPLITTING_ATTRIBUTES)
        return {name: value for name, value in found if value is not None} | self._time_slot(index)

    def _time_slot(self, index: int) -> dict[str, str]:
        slot = self.reconstructed.time_slot(index)
        return {} if slot is None else {"cardiac_phase": slot}

    def _splitting_value(self, name: str, index: int) -> str | None:
        if name == "diffusion_gradient" and self.groups.is_present:
            return self._gradient_of_frame(index)
        for group, keyword in _SPLITTING[name]:
            if (value := self._value(group, keyword, index)) is not None:
                return value
        return None

    def _value(self, group: str | None, keyword: str, index: int) -> str | None:
        if group is None:
            return self.of_the_object[keyword]
        source = self.groups.find(group, index) if self.groups.is_present else None
        return None if source is None else written_value(source, keyword)

    def _gradient_of_frame(self, index: int) -> str | None:
        diffusion = self.groups.find("MRDiffusionSequence", index)
        if diffusion is None:
            return None
        direction = first_item(diffusion, "DiffusionGradientDirectionSequence")
        return None if direction is None else written_value(direction, "DiffusionGradientOrientation")


def _axes(written: tuple[float, ...]) -> Orientation | None:
    if len(written) != 6:
        return None
    return corrected_orientation((written[0], written[1], written[2], written[3], written[4], written[5]))
