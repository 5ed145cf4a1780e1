"""The VR of an element: as the file says it, else by the data dictionaries, private ones included."""

from functools import lru_cache

from pydicom.datadict import dictionary_VR, private_dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from imageserver.dicom.tags import is_private

NUMBERS = {
    "US": "H", "SS": "h", "UL": "L", "SL": "l", "UV": "Q", "SV": "q", "FL": "f", "FD": "d",
}  # fmt: skip
# Binary VRs with the size of the words that a big endian file holds the other way round (PS3.18 F.2.7).
BINARY = {"OB": 1, "UN": 1, "OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}
CODES = frozenset({"AE", "AS", "CS", "DA", "DT", "TM", "UI", "DS", "IS"})  # not affected by character sets
WHOLE_TEXTS = frozenset({"ST", "LT", "UT", "UR"})  # one value, in which a backslash is a backslash
TEXTS = frozenset({"LO", "SH", "UC"})
_KNOWN = BINARY.keys() | NUMBERS.keys() | CODES | WHOLE_TEXTS | TEXTS | {"AT", "PN", "SQ"}


def vr_of(dataset: Dataset, element: RawDataElement | DataElement, is_signed: bool) -> str:
    """Return the VR of an element, "UN" where nothing tells it or the standard does not know it.

    `is_signed` decides for attributes that are "US or SS" where the file does not say which.
    """
    vr = element.VR
    if vr is None or vr == "UN":
        vr = _private_vr(dataset, element.tag) if is_private(element.tag) else _dictionary_vr(element.tag)
    if len(vr) == 2:
        return vr if vr in _KNOWN else "UN"
    if vr == "US or SS":
        return "SS" if is_signed else "US"
    if vr.startswith("US"):  # a table, or one of its entries
        return "US" if isinstance(element.value, bytes) and len(element.value) <= 2 else "OW"
    return "OW"  # "OB or OW": in implicit VR always OW (PS3.5 A.1)


@lru_cache(maxsize=16384)
def _dictionary_vr(tag: int) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


def _private_vr(dataset: Dataset, tag: int) -> str:
    """Return the VR of a private element by its creator (PS3.5 7.8.1); UN where nobody knows."""
    group, number = tag >> 16, tag & 0xFFFF
    if number <= 0xFF:
        return "LO" if number >= 0x10 else "UN"  # the creator itself
    creator = dataset._dict.get(BaseTag(group << 16 | number >> 8))
    name = creator.value if creator is not None else None
    if isinstance(name, bytes):
        name = name.decode("ascii", "replace").strip(" \0")
    return _known_private_vr(tag, name) if isinstance(name, str) else "UN"


@lru_cache(maxsize=16384)
def _known_private_vr(tag: int, creator: str) -> str:
    try:
        return private_dictionary_VR(tag, creator)
    except KeyError:
        return "UN"
