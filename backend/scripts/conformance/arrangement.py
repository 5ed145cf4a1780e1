"""What a series can be, and the functional groups that are read of multi-frame objects."""

import ast
from collections.abc import Iterator
from pathlib import Path

import imageserver.dicom
from imageserver.dicom.arrangement import Verdict
from scripts.conformance.document import table

_VERDICTS = {
    Verdict.VOLUME: ("Parallel slices at even distances.", "position"),
    Verdict.VOLUME_VARIABLE_SPACING: ("Parallel slices at uneven distances.", "position"),
    Verdict.VOLUME_TILTED: ("Parallel slices whose line is not along their normal: a tilted gantry.", "position"),
    Verdict.VOLUME_4D: ("Several volumes of one geometry: time points, echoes, b-values, phases …", "position"),
    Verdict.LOCALIZER: ("Images of several directions.", "instance number"),
    Verdict.CINE: ("Frames in time at one place.", "instance number, then frame number"),
    Verdict.SINGLE_IMAGE: ("One picture.", "none"),
    Verdict.NO_GEOMETRY: ("Pictures without place: ultrasound, X-ray, secondary capture.", "instance number"),
    Verdict.EMPTY: ("No picture; the patient is told all the same.", "none"),
}  # fmt: skip

# Macros of PS3.3 C.7.6.16.2 and of the modules of enhanced objects, and what they are read for.
_MACROS = {
    "PixelMeasuresSequence": "spacing of rows and columns, slice thickness",
    "PlanePositionSequence": "place in the patient",
    "PlaneOrientationSequence": "direction in the patient",
    "PlanePositionVolumeSequence": "place in the volume (ultrasound)",
    "PlaneOrientationVolumeSequence": "direction in the volume (ultrasound)",
    "PlanePositionSlideSequence": "place on the slide",
    "FrameContentSequence": "dimension indices, time, acquisition, stack",
    "PixelValueTransformationSequence": "rescale slope and intercept",
    "FrameVOILUTSequence": "windows",
    "RealWorldValueMappingSequence": "which quantity a map shows",
    "TemporalPositionSequence": "time",
    "CardiacSynchronizationSequence": "cardiac phase, trigger delay",
    "RespiratorySynchronizationSequence": "respiratory phase",
    "SegmentIdentificationSequence": "segment",
    "OpticalPathIdentificationSequence": "optical path",
    "CTImageFrameTypeSequence": "type of frame",
    "CTReconstructionSequence": "convolution kernel",
    "CTXRayDetailsSequence": "tube voltage",
    "MRImageFrameTypeSequence": "type of frame, complex component",
    "MREchoSequence": "echo time",
    "MRTimingAndRelatedParametersSequence": "flip angle",
    "MRModifierSequence": "inversion time",
    "MRDiffusionSequence": "b-value, direction of the gradient",
    "MRArterialSpinLabelingSequence": "label or control",
    "MRVelocityEncodingSequence": "direction of the encoded velocity",
    "MRMetaboliteMapSequence": "metabolite",
    "PETFrameTypeSequence": "type of frame",
    "USImageDescriptionSequence": "type of frame",
    "XRay3DFrameTypeSequence": "type of frame",
    "UnassignedSharedConvertedAttributesSequence": "what converted objects keep of classic ones",
    "UnassignedPerFrameConvertedAttributesSequence": "what converted objects keep of classic ones",
}
# Sequences that are read, and are no functional groups.
_OTHERS = {
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "DimensionIndexSequence",
    "DetectorInformationSequence", "DiffusionGradientDirectionSequence", "ModalityLUTSequence", "VOILUTSequence",
    "PresentationLUTSequence", "OpticalPathSequence", "EnhancedPaletteColorLookupTableSequence",
}  # fmt: skip


def verdict_table() -> str:
    """All verdicts."""
    rows = ((f"`{verdict}`", *_VERDICTS[verdict]) for verdict in Verdict)
    return table(("verdict", "what the series is", "order of its slices"), rows)


def functional_group_table() -> str:
    """All functional groups that are read."""
    return table(
        ("functional group", "read for"), ((f"`{keyword}`", use) for keyword, use in _MACROS.items())
    )


def unlisted_sequences() -> set[str]:
    """Return the sequences that the code reads and the table does not know, and the other way round."""
    return set(_sequences_in_code()) ^ {*_MACROS, *_OTHERS}


def _sequences_in_code() -> Iterator[str]:
    folder = Path(str(imageserver.dicom.__file__)).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, str) and value.isidentifier() and value.endswith("Sequence"):
                yield value
