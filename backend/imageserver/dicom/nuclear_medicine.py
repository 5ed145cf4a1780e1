"""Where the frames of a reconstructed nuclear medicine object lie: they say it in vectors of their own."""

from pydicom.dataset import Dataset

from imageserver.dicom.geometry import Orientation, Position, plane_normal
from imageserver.dicom.number_values import number, numbers
from imageserver.dicom.sequence_items import first_item
from imageserver.dicom.text_values import texts


class ReconstructedSlices:
    """Slices of a reconstructed object, RECON TOMO or RECON GATED TOMO. Says nothing about others.

    Parameters
    ----------
    dataset : pydicom.Dataset
    number_of_frames : int

    References
    ----------
    DICOM PS3.3 C.8.4.8 (frame index vectors), C.8.4.11 (detector), C.8.4.15 (reconstruction)
    """

    def __init__(self, dataset: Dataset, number_of_frames: int) -> None:
        image_type = texts(dataset, "ImageType")
        self._slices = numbers(dataset, "SliceVector")
        # Only reconstructed objects have a Slice Vector, should Image Type not say it.
        self.is_present = image_type[2:3] in (["RECON TOMO"], ["RECON GATED TOMO"]) or bool(self._slices)
        self._detector = first_item(dataset, "DetectorInformationSequence") if self.is_present else None
        self._spacing_mm = number(dataset, "SpacingBetweenSlices")  # its sign is the direction of stacking
        if len(self._slices) != number_of_frames:
            has_other_order = bool(numbers(dataset, "TimeSlotVector"))
            self._slices = [] if has_other_order else list(range(1, number_of_frames + 1))

    def orientation(self) -> tuple[float, ...]:
        """Return Image Orientation (Patient) of the detector as it stands in the file; empty without one."""
        return tuple(numbers(self._detector, "ImageOrientationPatient")) if self._detector is not None else ()

    def position(self, index: int, orientation: Orientation | None) -> Position | None:
        """Return the position of a frame, in mm: that of the first slice, and steps along the normal."""
        if self._detector is None or orientation is None or not self._spacing_mm or not self._slices:
            return None
        first = numbers(self._detector, "ImagePositionPatient")
        if len(first) != 3:
            return None
        step = plane_normal(orientation) * self._spacing_mm * (self._slices[index] - 1)
        x, y, z = (start + float(s) for start, s in zip(first, step, strict=True))
        return (x, y, z)


# Each says of every frame which energy window, detector … it belongs to, the slowest first.
_VECTORS = {
    "energy_window": "EnergyWindowVector",
    "detector": "DetectorVector",
    "phase": "PhaseVector",
    "rotation": "RotationVector",
    "rr_interval": "RRIntervalVector",
    "time_slot": "TimeSlotVector",
    "angular_view": "AngularViewVector",
    "slice": "SliceVector",
    "time_slice": "TimeSliceVector",
}
# These number frames that lie side by side; the others tell frames at one place apart.
_RUNNING = ("angular_view", "slice", "time_slice")


class FrameVectors:
    """What the vectors of a nuclear medicine object say of its frames. Says nothing about others.

    Parameters
    ----------
    dataset : pydicom.Dataset
    number_of_frames : int

    References
    ----------
    DICOM PS3.3 C.8.4.8: the vectors, in the order in which Frame Increment Pointer names them
    """

    def __init__(self, dataset: Dataset, number_of_frames: int) -> None:
        read = {name: numbers(dataset, keyword) for name, keyword in _VECTORS.items()}
        self._vectors = {name: values for name, values in read.items() if len(values) == number_of_frames}

    def index(self, frame_index: int) -> tuple[int, ...] | None:
        """Return the place of a frame in the vectors, or None."""
        return tuple(int(values[frame_index]) for values in self._vectors.values()) or None

    def splitting(self, frame_index: int) -> dict[str, str]:
        """Return what may tell a frame from another one at its place."""
        return {
            name: f"{values[frame_index]:g}" for name, values in self._vectors.items() if name not in _RUNNING
        }
