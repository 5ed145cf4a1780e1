"""Numbers that decide about place or grey values, and that are there but cannot be read as the standard writes them."""

from collections.abc import Iterator

from pydicom.dataset import Dataset

from imageserver.dicom.limits import Finding
from imageserver.dicom.number_values import has_decimal_comma, is_unreadable, number
from imageserver.dicom.raw_elements import element_of
from imageserver.dicom.sequence_items import first_item

UNREADABLE_VALUE = "unreadable_value"
DECIMAL_COMMA = "decimal_comma"
ZERO_SLOPE = "zero_slope"

# What is looked at, and the functional group that has it in enhanced objects.
_MACRO_OF = {
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "WindowCenter": "FrameVOILUTSequence",
    "WindowWidth": "FrameVOILUTSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
}
_CONSEQUENCES = {
    "RescaleSlope": "values may not be what they are called, HU for instance",
    "RescaleIntercept": "values may not be what they are called, HU for instance",
    "WindowCenter": "the window that it belongs to is left out",
    "WindowWidth": "the window that it belongs to is left out",
}
_DEFAULT_CONSEQUENCE = "the image may lose its place or size"


def find_unreadable(dataset: Dataset) -> list[Finding]:
    """Name the attributes that a picture or its place depends on, and whose value is malformed.

    A malformed value counts as absent everywhere (`values.numbers`); this says so, since the two differ for people.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Of an object with pixel data. Of its frames only the first is looked at: a writer that errs, errs in all, and
        thousands of frames would make reading slow.

    Returns
    -------
    list of Finding
        ``unreadable_value``, ``decimal_comma`` or ``zero_slope``, one per attribute. The value itself is not quoted.
    """
    both = (
        first_item(dataset, "SharedFunctionalGroupsSequence"),
        first_item(dataset, "PerFrameFunctionalGroupsSequence"),
    )
    groups = [group for group in both if group is not None]
    found: dict[str, Finding] = {}
    for keyword, macro in _MACRO_OF.items():
        macros = (first_item(group, macro) for group in groups)
        for finding in _of_attribute([dataset, *(item for item in macros if item is not None)], keyword):
            found.setdefault(keyword, finding)
    return list(found.values())


def _of_attribute(sources: list[Dataset], keyword: str) -> Iterator[Finding]:
    for source in sources:
        if element_of(source, keyword) is None:
            continue
        if is_unreadable(source, keyword):
            consequence = _CONSEQUENCES.get(keyword, _DEFAULT_CONSEQUENCE)
            yield Finding(UNREADABLE_VALUE, f"{keyword} cannot be read; {consequence}.")
        elif has_decimal_comma(source, keyword):
            yield Finding(DECIMAL_COMMA, f"{keyword} is written with a decimal comma.")
        elif keyword == "RescaleSlope" and number(source, keyword) == 0:
            yield Finding(ZERO_SLOPE, "RescaleSlope is 0, which would make the image flat; 1 is taken.")
