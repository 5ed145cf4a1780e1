"""What each frame of an object is: its size, its place, and what tells it from others at the same place."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pydicom.dataset import Dataset

from imageserver.dicom.attributes import instance_address
from imageserver.dicom.dimensions import Dimensions
from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.geometry import Orientation, corrected_orientation, is_spacing
from imageserver.dicom.identifiers import is_address
from imageserver.dicom.nuclear_medicine import FrameVectors
from imageserver.dicom.number_values import integer, number, numbers
from imageserver.dicom.plane_position import PlanePositions
from imageserver.dicom.reading import Header
from imageserver.dicom.splitting_values import SplittingValues
from imageserver.dicom.text_values import text, texts
from imageserver.dicom.tiles import Tiles

__all__ = ["FrameDescription", "describe_frames", "pixel_aspect_ratio"]

_LARGEST_ASPECT_RATIO = 1000.0  # beyond, a picture is a line
_LONGEST_DIRECTION = 16  # of Patient Orientation, CS


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
    DICOM PS3.3 C.7.6.2, C.7.6.16.2, C.7.6.17
    """
    return list(_Describer(header).describe()) if header.image is not None else []


def pixel_aspect_ratio(header: Header, frame_index: int) -> float:
    """Return the height of a pixel of one frame divided by its width, as `describe_frames` tells it; index from 0."""
    measures = FunctionalGroups(header.dataset).source("PixelMeasuresSequence", frame_index)
    return _aspect_ratio(header.dataset, *_spacing(header.dataset, measures))


class _Describer:
    def __init__(self, header: Header) -> None:
        assert header.image is not None
        self.image = header.image
        self.dataset = header.dataset
        self.groups = FunctionalGroups(header.dataset)
        self.uid = instance_address(header.dataset, header.file_meta).sop_instance_uid
        self.instance_number = integer(header.dataset, "InstanceNumber")
        self.vectors = FrameVectors(header.dataset, self.image.number_of_frames)
        self.dimensions = Dimensions(header.dataset, self.groups)
        self.tiles = Tiles(header.dataset, self.groups, self.image.rows, self.image.columns)
        self.concatenation = self._concatenation()
        self.patient_orientation = self._patient_orientation()
        self.planes = PlanePositions(header.dataset, self.groups, self.image.number_of_frames)
        self.splitting = SplittingValues(header.dataset, self.groups, self.dimensions, self.vectors)

    def describe(self) -> Iterator[FrameDescription]:
        first = self._describe_frame(0)
        yield first
        for index in range(1, self.image.number_of_frames):
            if self.groups.is_present:
                yield self._describe_frame(index)
            else:  # only what vectors and the order of tiles say can differ
                yield replace(
                    first,
                    frame_number=index + 1,
                    position=self.planes.position(index, first.orientation),
                    dimension_index=self._order(index),
                    splitting={**first.splitting, **self.vectors.splitting(index)},
                )

    def _describe_frame(self, index: int) -> FrameDescription:
        written = self.planes.orientation(index)
        orientation = _axes(written)
        measures = self.groups.source("PixelMeasuresSequence", index)
        row_spacing, column_spacing = _spacing(self.dataset, measures)
        position = self.planes.position(index, orientation)
        return FrameDescription(
            sop_instance_uid=self.uid,
            frame_number=index + 1,
            instance_number=self.instance_number,
            rows=self.image.rows,
            columns=self.image.columns,
            row_spacing_mm=row_spacing,
            column_spacing_mm=column_spacing,
            pixel_aspect_ratio=_aspect_ratio(self.dataset, row_spacing, column_spacing),
            position=position,
            orientation=orientation,
            written_orientation=written[:6] if written and written != orientation else None,
            patient_orientation=self.patient_orientation,
            is_quadruped=text(self.dataset, "AnatomicalOrientationType") == "QUADRUPED",
            spacing_between_slices_mm=number(measures, "SpacingBetweenSlices"),
            slice_thickness_mm=number(measures, "SliceThickness"),
            is_multiframe=self.image.number_of_frames > 1,
            concatenation=self.concatenation,
            dimension_index=self._order(index),
            splitting=self.splitting.of_frame(index),
            is_in_volume=self.planes.is_in_volume,
            is_tile=self.tiles.is_present,
        )

    def _concatenation(self) -> tuple[str, int] | None:
        """Return which whole the object is part of, and where it begins in it (PS3.3 C.7.6.16.2.2.4)."""
        uid = text(self.dataset, "ConcatenationUID")
        offset = integer(self.dataset, "ConcatenationFrameOffsetNumber")
        if offset is None:
            offset = integer(self.dataset, "InConcatenationNumber")
        return None if uid is None or not is_address(uid) or offset is None else (uid, offset)

    def _order(self, index: int) -> tuple[int, ...] | None:
        """Return where the object itself puts a frame among the others, whatever the order in which they are stored."""
        return self.tiles.index(index) or self.dimensions.index(index) or self.vectors.index(index)

    def _patient_orientation(self) -> tuple[str, str] | None:
        values = texts(self.dataset, "PatientOrientation")
        is_given = len(values) == 2 and all(0 < len(value) <= _LONGEST_DIRECTION for value in values)
        return (values[0], values[1]) if is_given else None


def _spacing(dataset: Dataset, measures: Dataset) -> tuple[float | None, float | None]:
    """Return the spacing of rows and columns, at the patient where it is known, else at the detector."""
    for source, keyword in (
        (measures, "PixelSpacing"),
        (dataset, "ImagerPixelSpacing"),
        (dataset, "NominalScannedPixelSpacing"),
    ):
        values = numbers(source, keyword)
        if is_spacing(values):
            return values[0], values[1]
    return None, None


def _aspect_ratio(dataset: Dataset, row_spacing: float | None, column_spacing: float | None) -> float:
    sizes: Sequence[float] = numbers(dataset, "PixelAspectRatio")  # vertical size \ horizontal size
    if row_spacing and column_spacing:
        sizes = row_spacing, column_spacing
    ratio = sizes[0] / sizes[1] if is_spacing(sizes) else 1.0
    return ratio if 1 / _LARGEST_ASPECT_RATIO <= ratio <= _LARGEST_ASPECT_RATIO else 1.0


def _axes(written: tuple[float, ...]) -> Orientation | None:
    if len(written) != 6:
        return None
    return corrected_orientation((written[0], written[1], written[2], written[3], written[4], written[5]))
