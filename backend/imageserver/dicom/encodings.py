"""How the elements of a data set are written, told from its first bytes where nothing else tells."""

import struct
from functools import lru_cache
from typing import NamedTuple

from pydicom.datadict import dictionary_VR
from pydicom.valuerep import VR

from imageserver.dicom.transfer_syntax import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    TransferSyntax,
    find_transfer_syntax,
)

_VRS = frozenset(str(vr).encode() for vr in VR if len(str(vr)) == 2)


class Encoding(NamedTuple):
    """How the elements of a data set are written."""

    is_implicit_vr: bool
    is_little_endian: bool


def guess_encoding(head: bytes) -> Encoding | None:
    """Tell from its first element how a data set is encoded; None where this cannot be the start of one."""
    if len(head) < 8:
        return None
    for is_little_endian, order in ((True, "<"), (False, ">")):
        group, element, length = struct.unpack_from(order + "HHL", head)
        if group != 0x0008 or element > 0x2300:
            continue
        if head[4:6].isalpha() and head[4:6].isupper():
            return Encoding(is_implicit_vr=False, is_little_endian=is_little_endian)
        if is_little_endian and length < 0x10000:
            return Encoding(is_implicit_vr=True, is_little_endian=True)
    return None


@lru_cache(maxsize=16384)
def is_sequence_tag(tag: int) -> bool:
    """Look a tag up in the data dictionary, as implicit VR and UN ask for."""
    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return False


def is_explicit_inside(head: bytes) -> bool:
    """Tell whether the items of a sequence written as UN hold explicit VR, against the standard.

    They are to be implicit VR little endian (PS3.5 6.2.2, note 2), and not every writer knows.

    Parameters
    ----------
    head : bytes
        The first 16 bytes of the value: the header of an item, and of the first element in it.
    """
    return head[12:14] in _VRS


def syntax_of_encoding(encoding: Encoding) -> TransferSyntax:
    """Return the native transfer syntax with this encoding."""
    if encoding.is_implicit_vr:
        return find_transfer_syntax(IMPLICIT_VR_LITTLE_ENDIAN)
    uid = EXPLICIT_VR_LITTLE_ENDIAN if encoding.is_little_endian else EXPLICIT_VR_BIG_ENDIAN
    return find_transfer_syntax(uid)
