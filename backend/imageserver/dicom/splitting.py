"""What may tell frames at one position from each other: time, echo, b-value, segment and others."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

_CLOCK = re.compile(r"(\d{8})?(\d{2})(\d{2})(\d{2}(?:\.\d+)?)?([+-]\d{4})?")

_NUMBER = re.compile(r"[+-]?\d{1,30}(?:\.\d{0,30})?(?:e[+-]?\d{1,2})?", re.ASCII)
_DIGITS = re.compile(r"(\d{1,30}(?:\.\d{1,30})?)", re.ASCII)


def _clock(value: str) -> str:
    """Write a TM or DT as hours, minutes and seconds; anything else as it is."""
    match = _CLOCK.fullmatch(value)
    return ":".join(part for part in match.groups()[1:4] if part) if match else value


def _lower(value: str) -> str:
    return value.replace("_", " ").lower()


class SplittingAttribute(NamedTuple):
    """One attribute that frames at one position may differ in.

    Attributes
    ----------
    name : str
    words : function of str
        Its value for people, with its unit.
    sources : tuple of (str or None, str)
        Functional group and keyword, in the order in which they are looked for; the group None is the data set itself,
        or what an object that was converted from classic ones keeps of it.
    """

    name: str
    words: Callable[[str], str]
    sources: tuple[tuple[str | None, str], ...] = ()


_CARDIAC, _CONTENT = "CardiacSynchronizationSequence", "FrameContentSequence"
_TIMING = "MRTimingAndRelatedParametersSequence"

# In the order in which they are tried. Those without a source are found elsewhere: the vectors of nuclear medicine, the
# direction of a diffusion gradient, which lies a sequence deeper, the place in the plane.
_ATTRIBUTES = (
    SplittingAttribute(
        "segment", "segment {}".format, (("SegmentIdentificationSequence", "ReferencedSegmentNumber"),)
    ),
    SplittingAttribute("place_in_plane", "place {} in the plane".format),
    SplittingAttribute(
        "optical_path",
        "optical path {}".format,
        (("OpticalPathIdentificationSequence", "OpticalPathIdentifier"),),
    ),
    SplittingAttribute(
        "temporal_position",
        "time point {}".format,
        ((_CONTENT, "TemporalPositionIndex"), (None, "TemporalPositionIdentifier")),
    ),
    SplittingAttribute("energy_window", "energy window {}".format),
    SplittingAttribute("detector", "detector {}".format),
    SplittingAttribute("phase", "phase {}".format),
    SplittingAttribute("rotation", "rotation {}".format),
    SplittingAttribute("rr_interval", "R-R interval {}".format),
    SplittingAttribute("time_slot", "time slot {}".format),
    SplittingAttribute(
        "acquisition",
        "acquisition {}".format,
        ((_CONTENT, "FrameAcquisitionNumber"), (None, "AcquisitionNumber")),
    ),
    SplittingAttribute("echo", "echo {}".format, ((None, "EchoNumbers"),)),
    SplittingAttribute(
        "echo_time",
        "echo time {} ms".format,
        (("MREchoSequence", "EffectiveEchoTime"), (None, "EchoTime")),
    ),
    SplittingAttribute(
        "inversion_time",
        "inversion time {} ms".format,
        (("MRModifierSequence", "InversionTimes"), (None, "InversionTime")),
    ),
    SplittingAttribute(
        "b_value",
        "b-value {} s/mm²".format,
        (("MRDiffusionSequence", "DiffusionBValue"), (None, "DiffusionBValue")),
    ),
    SplittingAttribute(
        "diffusion_directionality",
        lambda value: f"{_lower(value)} diffusion",
        (("MRDiffusionSequence", "DiffusionDirectionality"), (None, "DiffusionDirectionality")),
    ),
    SplittingAttribute("diffusion_gradient", "diffusion direction {}".format),
    SplittingAttribute(
        "label_or_control", _lower, (("MRArterialSpinLabelingSequence", "ASLContext"), (None, "ASLContext"))
    ),
    SplittingAttribute(
        "complex_component",
        _lower,
        (("MRImageFrameTypeSequence", "ComplexImageComponent"), (None, "ComplexImageComponent")),
    ),
    SplittingAttribute(
        "cardiac_phase",
        "{} % of the cardiac cycle".format,
        ((_CARDIAC, "NominalPercentageOfCardiacPhase"), (None, "NominalPercentageOfCardiacPhase")),
    ),
    SplittingAttribute(
        "trigger_time",
        "{} ms after the trigger".format,
        (
            (_CARDIAC, "NominalCardiacTriggerDelayTime"),
            (_CARDIAC, "ActualCardiacTriggerDelayTime"),
            (None, "TriggerTime"),
        ),
    ),
    SplittingAttribute(
        "respiratory_phase",
        "{} % of the respiratory cycle".format,
        (
            ("RespiratorySynchronizationSequence", "NominalPercentageOfRespiratoryPhase"),
            (None, "NominalPercentageOfRespiratoryPhase"),
        ),
    ),
    SplittingAttribute("flip_angle", "flip angle {}°".format, ((_TIMING, "FlipAngle"), (None, "FlipAngle"))),
    SplittingAttribute(
        "velocity_direction",
        "velocity direction {}".format,
        (("MRVelocityEncodingSequence", "VelocityEncodingDirection"),),
    ),
    SplittingAttribute("metabolite", "{}".format, (("MRMetaboliteMapSequence", "MetaboliteMapDescription"),)),
    SplittingAttribute("quantity", "quantity {}".format, (("RealWorldValueMappingSequence", "LUTLabel"),)),
    SplittingAttribute(
        "convolution_kernel",
        "kernel {}".format,
        (("CTReconstructionSequence", "ConvolutionKernel"), (None, "ConvolutionKernel")),
    ),
    SplittingAttribute("tube_voltage", "{} kV".format, (("CTXRayDetailsSequence", "KVP"), (None, "KVP"))),
    SplittingAttribute(
        "time_offset", "{} s".format, (("TemporalPositionSequence", "TemporalPositionTimeOffset"),)
    ),
    SplittingAttribute("frame_reference_time", "{} ms".format, ((None, "FrameReferenceTime"),)),
    SplittingAttribute(
        "time",
        lambda value: f"time {_clock(value)}",
        ((_CONTENT, "FrameReferenceDateTime"),),
    ),
    SplittingAttribute(
        "acquisition_time",
        lambda value: f"acquired at {_clock(value)}",
        ((_CONTENT, "FrameAcquisitionDateTime"), (None, "AcquisitionDateTime"), (None, "AcquisitionTime")),
    ),
    SplittingAttribute("content_time", lambda value: f"created at {_clock(value)}", ((None, "ContentTime"),)),
    SplittingAttribute(
        "image_type",
        "image type {}".format,
        (
            ("MRImageFrameTypeSequence", "FrameType"),
            ("CTImageFrameTypeSequence", "FrameType"),
            ("PETFrameTypeSequence", "FrameType"),
            ("XRay3DFrameTypeSequence", "FrameType"),
            ("USImageDescriptionSequence", "FrameType"),
            (None, "ImageType"),
        ),
    ),
    # Some scanners tell b-values and directions nowhere else that is public.
    SplittingAttribute("sequence_name", "sequence {}".format, ((None, "SequenceName"),)),
    SplittingAttribute("stack_id", "stack {}".format, ((_CONTENT, "StackID"),)),
)
# What says little to people, or may be an accident, is tried when nothing else tells frames apart.
_LAST_RESORTS = (
    SplittingAttribute("dimension", "{}".format),
    SplittingAttribute(
        "frame_of_reference", "frame of reference {}".format, ((None, "FrameOfReferenceUID"),)
    ),
)
SOURCES = {attribute.name: attribute.sources for attribute in (*_ATTRIBUTES, *_LAST_RESORTS)}
SPLITTING_ATTRIBUTES = tuple(attribute.name for attribute in _ATTRIBUTES)
LAST_RESORTS = tuple(attribute.name for attribute in _LAST_RESORTS)
_WORDS = {attribute.name: attribute.words for attribute in (*_ATTRIBUTES, *_LAST_RESORTS)}


def words_for(names: Iterable[str], values: Iterable[str | None]) -> str:
    """Say the values of splitting attributes for people: "time point 2, echo 1"."""
    pairs = zip(names, values, strict=True)
    words = [
        _WORDS[name](value).replace("\\", " / ") if value is not None else f"no {name.replace('_', ' ')}"
        for name, value in pairs
    ]
    return ", ".join(words)


def natural_order(value: str | None) -> tuple[int, float, tuple[tuple[int, float, str], ...]]:
    """Sort numbers by size, before other texts, in which digits are numbers too, and missing values last."""
    if value is None:
        return 2, 0.0, ()
    if _NUMBER.fullmatch(value):
        return 0, float(value), ()
    parts = _DIGITS.split(value)
    return 1, 0.0, tuple((0, float(part), "") if i % 2 else (1, 0.0, part) for i, part in enumerate(parts))
