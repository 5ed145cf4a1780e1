"""How the elements of a data set are written, told from its first bytes where nothing else tells."""

import struct
from typing import NamedTuple

from imageserver.dicom.transfer_syntax import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    TransferSyntax,
    find_transfer_syntax,
)


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


def syntax_of_encoding(encoding: Encoding) -> TransferSyntax:
    """Return the native transfer syntax with this encoding."""
    if encoding.is_implicit_vr:
        return find_transfer_syntax(IMPLICIT_VR_LITTLE_ENDIAN)
    uid = EXPLICIT_VR_LITTLE_ENDIAN if encoding.is_little_endian else EXPLICIT_VR_BIG_ENDIAN
    return find_transfer_syntax(uid)
