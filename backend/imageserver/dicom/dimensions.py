"""The multi-frame dimensions of an object: an order of its frames that does not depend on how they are stored."""

import struct

from pydicom.datadict import dictionary_description, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.number_values import numbers
from imageserver.dicom.raw_elements import element_of
from imageserver.dicom.sequence_items import items
from imageserver.dicom.splitting import natural_order
from imageserver.dicom.text_values import text

# What says where a frame lies; the other dimensions tell frames at one place apart.
_POSITIONS = {
    tag_for_keyword(keyword)
    for keyword in (
        "ImagePositionPatient",
        "ImagePositionVolume",
        "InStackPositionNumber",
        "ColumnPositionInTotalImagePixelMatrix",
        "RowPositionInTotalImagePixelMatrix",
        "XOffsetInSlideCoordinateSystem",
        "YOffsetInSlideCoordinateSystem",
        "ZOffsetInSlideCoordinateSystem",
    )
}
# The index keeps these for each frame; objects in use have up to a handful.
_MOST_DIMENSIONS = 16
_LONGEST_LABEL = 64  # LO


class Dimensions:
    """Where each frame stands in the dimensions of its object.

    Parameters
    ----------
    dataset : pydicom.Dataset
    groups : FunctionalGroups
        Of the same data set.

    References
    ----------
    DICOM PS3.3 C.7.6.17, C.7.6.16.2.2 (Frame Content)
    """

    def __init__(self, dataset: Dataset, groups: FunctionalGroups) -> None:
        self._groups = groups
        self._dimensions = [
            (
                pointer(item, "DimensionIndexPointer"),
                (text(item, "DimensionDescriptionLabel") or "")[:_LONGEST_LABEL],
            )
            for item in items(dataset, "DimensionIndexSequence")
        ]
        self._stack_ranks: dict[str | None, int] | None = None

    def index(self, frame_index: int) -> tuple[int, ...] | None:
        """Return Dimension Index Values, which stand in the order of Dimension Index Sequence, the slowest first.

        Without them Stack ID by its rank, In-Stack Position Number and Temporal Position Index take their place.
        """
        if (values := self._values(frame_index)) is not None:
            return values
        content = self._groups.find("FrameContentSequence", frame_index)
        if content is None:
            return None
        stack = text(content, "StackID")
        place = (numbers(content, "InStackPositionNumber") or [0])[0]
        time = (numbers(content, "TemporalPositionIndex") or [0])[0]
        if stack is None and not place and not time:
            return None
        return (self._rank(stack), int(place), int(time))

    def apart_from_position(self, frame_index: int) -> str | None:
        """Return the dimensions that tell frames at one place apart, with their names: "Trigger Time 3"."""
        values = self._values(frame_index)
        if values is None or len(values) != len(self._dimensions):
            return None
        words = [
            f"{label or _name(tag)} {value}"
            for (tag, label), value in zip(self._dimensions, values, strict=True)
            if tag not in _POSITIONS
        ]
        return ", ".join(words) or None

    def _values(self, frame_index: int) -> tuple[int, ...] | None:
        content = self._groups.find("FrameContentSequence", frame_index)
        values = [] if content is None else numbers(content, "DimensionIndexValues")
        return tuple(int(value) for value in values[:_MOST_DIMENSIONS]) or None

    def _rank(self, stack: str | None) -> int:
        if self._stack_ranks is None:
            macros = self._groups.all("FrameContentSequence")
            names = {name for macro in macros if (name := text(macro, "StackID")) is not None}
            self._stack_ranks = {
                name: rank for rank, name in enumerate(sorted(names, key=natural_order), start=1)
            }
        return self._stack_ranks.get(stack, 0)


def pointer(dataset: Dataset, keyword: str) -> int | None:
    """Return the tag that an attribute of VR AT points to, or None."""
    element = element_of(dataset, keyword)
    value = None if element is None else element.value
    if isinstance(element, RawDataElement) and isinstance(value, bytes):
        if len(value) < 4:
            return None
        group, number = struct.unpack_from("<HH" if element.is_little_endian else ">HH", value)
        return int(group) << 16 | int(number)
    return int(value) if isinstance(value, int) else None


def _name(tag: int | None) -> str:
    try:
        return dictionary_description(tag or 0)
    except KeyError:
        return "private dimension"
