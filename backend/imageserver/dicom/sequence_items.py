"""Items of sequences; a malformed sequence has none instead of an exception."""

import logging

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from imageserver.dicom.encodings import is_explicit_inside, is_sequence_tag
from imageserver.dicom.raw_elements import Attribute, element_of, tag_of
from imageserver.dicom.text_values import INHERITED_CHARACTER_SETS, character_sets_of

_logger = logging.getLogger(__name__)


def items(dataset: Dataset | None, keyword: Attribute) -> list[Dataset]:
    """Return the items of a sequence; empty when it is absent or malformed."""
    element = element_of(dataset, keyword) if dataset is not None else None
    if dataset is None or element is None:
        return []
    try:
        if isinstance(element, RawDataElement) and element.VR == "UN" and is_sequence_tag(element.tag):
            if not element.is_little_endian:  # nobody has checked what is in it, see `nesting`
                return []
            name_sequence(dataset, element)
        value = dataset[tag_of(keyword)].value
    except Exception as error:  # pydicom raises whatever the bytes provoke, RecursionError included
        _logger.debug("Ignored malformed %s: %s", keyword, type(error).__name__)
        return []
    if not isinstance(value, Sequence):
        return []
    found = list(value)
    if found and INHERITED_CHARACTER_SETS not in found[0].__dict__:
        character_sets = character_sets_of(dataset)
        for item in found:
            item.__dict__[INHERITED_CHARACTER_SETS] = character_sets
    return found


def name_sequence(dataset: Dataset, element: RawDataElement) -> None:
    """Name a sequence what it is, where the file says UN or nothing; pydicom takes a long UN for bytes.

    What is inside a UN is implicit VR little endian (PS3.5 6.2.2, note 2), or what it shows.
    """
    is_implicit_vr = element.VR is None or not is_explicit_inside(element.value or b"")
    is_little_endian = element.is_little_endian if element.VR is None else True
    dataset._dict[element.tag] = element._replace(
        VR="SQ", is_implicit_VR=is_implicit_vr, is_little_endian=is_little_endian
    )


def first_item(dataset: Dataset | None, keyword: str) -> Dataset | None:
    """Return the first item of a sequence, or None."""
    found = items(dataset, keyword)
    return found[0] if found else None
