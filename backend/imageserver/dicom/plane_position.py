"""Where the planes of the frames of an object lie, wherever its kind of object says it."""

from pydicom.dataset import Dataset

from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.geometry import Orientation, Position, is_position, plane_normal
from imageserver.dicom.nuclear_medicine import ReconstructedSlices
from imageserver.dicom.number_values import numbers

_SAME_PLACE_MM = 0.01
_AXIAL_COSINE = 0.99


class PlanePositions:
    """Orientation and position of the frames of one object.

    Parameters
    ----------
    dataset : pydicom.Dataset
    groups : FunctionalGroups
        Of the same data set.
    number_of_frames : int

    Attributes
    ----------
    is_in_volume : bool
        Places are those in the volume of an ultrasound acquisition, not in the patient.

    References
    ----------
    DICOM PS3.3 C.7.6.2, C.7.6.16.2.3 and C.7.6.16.2.4 (plane position and orientation), C.8.24.6.1 and C.8.24.6.2 (in
    an ultrasound volume), C.8.8.3.2 (Grid Frame Offset Vector)
    """

    def __init__(self, dataset: Dataset, groups: FunctionalGroups, number_of_frames: int) -> None:
        self._dataset = dataset
        self._groups = groups
        self._reconstructed = ReconstructedSlices(dataset, number_of_frames)
        self._is_single = number_of_frames == 1
        # Where the planes of a dose grid lie: along the normal from the first, or as z coordinates.
        offsets = numbers(dataset, "GridFrameOffsetVector")
        self._grid_offsets = offsets if len(offsets) == number_of_frames else []
        self.is_in_volume = groups.has("PlanePositionVolumeSequence") and not groups.has(
            "PlanePositionSequence"
        )

    def orientation(self, index: int) -> tuple[float, ...]:
        """Return the direction cosines of a frame as they stand in the file; empty without any."""
        if self.is_in_volume:
            return tuple(
                self._macro_numbers("PlaneOrientationVolumeSequence", "ImageOrientationVolume", index)
            )
        source = self._groups.source("PlaneOrientationSequence", index)
        return tuple(numbers(source, "ImageOrientationPatient")) or self._reconstructed.orientation()

    def position(self, index: int, orientation: Orientation | None) -> Position | None:
        """Return where the first pixel of a frame lies; None where the file does not say, or says what cannot be."""
        found = self._written_position(index, orientation)
        return found if found is not None and is_position(found) else None

    def _written_position(self, index: int, orientation: Orientation | None) -> Position | None:
        if self.is_in_volume:
            return _position(self._macro_numbers("PlanePositionVolumeSequence", "ImagePositionVolume", index))
        if (own := self._macro_position(index)) is not None:
            return own
        if (place := self._reconstructed.position(index, orientation)) is not None:
            return place
        start = _position(numbers(self._dataset, "ImagePositionPatient"))
        if start is None or self._is_single:
            return start
        # Frames of other classic objects have no position of their own.
        return self._grid_position(start, index, orientation)

    def _macro_position(self, index: int) -> Position | None:
        return _position(self._macro_numbers("PlanePositionSequence", "ImagePositionPatient", index))

    def _macro_numbers(self, macro: str, keyword: str, index: int) -> list[float]:
        """Return the values of the frame's own macro, else of the shared one."""
        layers = (numbers(layer, keyword) for layer in self._groups.layers(macro, index))
        return next((values for values in layers if values), [])

    def _grid_position(self, start: Position, index: int, orientation: Orientation | None) -> Position | None:
        """Return where a plane of a dose grid lies."""
        if orientation is None or not self._grid_offsets:
            return None
        x, y, z = start
        normal = plane_normal(orientation)
        first, offset = self._grid_offsets[0], self._grid_offsets[index]
        if first != 0 and abs(first - z) < _SAME_PLACE_MM and abs(normal[2]) > _AXIAL_COSINE:
            return (x, y, offset)  # C.8.8.3.2 b): z coordinates, whatever side the normal points to
        step = normal * (offset - first)
        return (x + float(step[0]), y + float(step[1]), z + float(step[2]))


def _position(values: list[float]) -> Position | None:
    if len(values) != 3:
        return None
    x, y, z = values
    return (x, y, z)
