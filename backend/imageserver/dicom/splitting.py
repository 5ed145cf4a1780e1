"""What may tell frames at one position from each other: time, echo, b-value, segment and others."""

from collections.abc import Callable, Iterable

from pydicom.dataset import Dataset

from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.values import first_item, written_value

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
    "frame_of_reference": ((None, "FrameOfReferenceUID"),),
}
SPLITTING_ATTRIBUTES = tuple(_SPLITTING)
_LONGEST_VALUE = 256  # the index keeps these for each frame; in a text of 64 KiB nobody names a phase

_WORDS: dict[str, Callable[[str], str]] = {
    "segment": "segment {}".format,
    "temporal_position": "time point {}".format,
    "acquisition": "acquisition {}".format,
    "echo": "echo {}".format,
    "echo_time": "echo time {} ms".format,
    "b_value": "b-value {}".format,
    "diffusion_gradient": "diffusion direction {}".format,
    "cardiac_phase": "cardiac phase {}".format,
    "time": "time {}".format,
    "acquisition_time": "acquired at {}".format,
    "content_time": "created at {}".format,
    "image_type": "image type {}".format,
    "convolution_kernel": "kernel {}".format,
    "stack_id": "stack {}".format,
    "frame_of_reference": "frame of reference {}".format,
}


class SplittingValues:
    """The values by which the frames of one object may be split (PS3.3 C.7.6.16.2, C.8).

    Parameters
    ----------
    dataset : pydicom.Dataset
    groups : FunctionalGroups
        Of the same data set.
    """

    def __init__(self, dataset: Dataset, groups: FunctionalGroups) -> None:
        self.groups = groups
        self.of_the_object = {
            keyword: _short(written_value(dataset, keyword))
            for pairs in _SPLITTING.values()
            for group, keyword in pairs
            if group is None
        }

    def of_frame(self, index: int) -> dict[str, str]:
        """Return the values that a frame has, by the names in `SPLITTING_ATTRIBUTES`."""
        found = ((name, self._splitting_value(name, index)) for name in SPLITTING_ATTRIBUTES)
        return {name: value for name, value in found if value is not None}

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
        return None if source is None else _short(written_value(source, keyword))

    def _gradient_of_frame(self, index: int) -> str | None:
        diffusion = self.groups.find("MRDiffusionSequence", index)
        if diffusion is None:
            return None
        direction = first_item(diffusion, "DiffusionGradientDirectionSequence")
        if direction is None:
            return None
        return _short(written_value(direction, "DiffusionGradientOrientation"))


def _short(value: str | None) -> str | None:
    return None if value is None else value[:_LONGEST_VALUE]


def words_for(names: Iterable[str], values: Iterable[str | None]) -> str:
    """Say the values of splitting attributes for people: "time point 2, echo 1"."""
    pairs = zip(names, values, strict=True)
    words = [
        _WORDS[name](value.replace("\\", " / ")) if value is not None else f"no {name.replace('_', ' ')}"
        for name, value in pairs
    ]
    return ", ".join(words)
