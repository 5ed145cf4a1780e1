"""Where the planes of the frames of an object lie, wherever its kind of object says it."""

from pydicom.dataset import Dataset

from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.geometry import Orientation, Position, is_position, plane_normal
from imageserver.dicom.nuclear_medicine import ReconstructedSlices
from imageserver.dicom.values import numbers

_SAME_PLACE_MM = 0.01
_AXIAL_COSINE = 0.99


class PlanePositions:
    """Orientation and position of the frames of one object.

    Parameters
    ----------
    dataset : pydicom.Dataset
    groups : FunctionalGroups
        Of the same data set.
    reconstructed : ReconstructedSlices
        Of the same data set.
    number_of_frames : int

    References
    ----------
    DICOM PS3.3 C.7.6.2, C.7.6.16.2.3, C.7.6.16.2.4, C.8.8.3.2 (Grid Frame Offset Vector)
    """

    def __init__(
        self,
        dataset: Dataset,
        groups: FunctionalGroups,
        reconstructed: ReconstructedSlices,
        number_of_frames: int,
    ) -> None:
        self.dataset = dataset
        self.groups = groups
        self.reconstructed = reconstructed
        self.number_of_frames = number_of_frames
        # Where the planes of a dose grid lie: along the normal from the first, or as z coordinates.
        self.grid_offsets = numbers(dataset, "GridFrameOffsetVector")

    def orientation(self, index: int) -> tuple[float, ...]:
        source = self.groups.source("PlaneOrientationSequence", index)
        return tuple(numbers(source, "ImageOrientationPatient")) or self.reconstructed.orientation()

    def position(self, index: int, orientation: Orientation | None) -> Position | None:
        """Return where the first pixel of a frame lies; None where the file does not say, or says what cannot be."""
        found = self._written_position(index, orientation)
        return found if found is not None and is_position(found) else None

    def _written_position(self, index: int, orientation: Orientation | None) -> Position | None:
        plane = self.groups.find("PlanePositionSequence", index)
        if plane is None and (place := self.reconstructed.position(index, orientation)) is not None:
            return place
        values = numbers(self.dataset if plane is None else plane, "ImagePositionPatient")
        if len(values) != 3:
            return None
        x, y, z = values
        if plane is not None or self.number_of_frames == 1:
            return (x, y, z)
        return self._grid_position((x, y, z), index, orientation)

    def _grid_position(self, start: Position, index: int, orientation: Orientation | None) -> Position | None:
        """Return where a plane of a dose grid lies; frames of other classic objects have no position of their own."""
        if orientation is None or len(self.grid_offsets) != self.number_of_frames:
            return None
        x, y, z = start
        normal = plane_normal(orientation)
        first, offset = self.grid_offsets[0], self.grid_offsets[index]
        if first != 0 and abs(first - z) < _SAME_PLACE_MM and abs(normal[2]) > _AXIAL_COSINE:
            return (x, y, offset)  # C.8.8.3.2 b): z coordinates, whatever side the normal points to
        step = normal * (offset - first)
        return (x + float(step[0]), y + float(step[1]), z + float(step[2]))
