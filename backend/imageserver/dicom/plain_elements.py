"""The quick way through the elements of a data set that are nothing special, which are nearly all.

Plain is an element of known VR that is no sequence and wholly in memory, outside the groups with rules of their own.
At the first other one the caller goes on, with every check.
"""

from functools import partial
from typing import Any, NamedTuple

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.tag import BaseTag

from imageserver.dicom.element_headers import LONG_VRS, SHORT_VRS, ElementHeaders
from imageserver.dicom.encodings import Encoding, is_sequence_tag
from imageserver.dicom.tags import NUMBER_OF_FRAMES, base_tag

Elements = dict[BaseTag, DataElement | RawDataElement]

# The constructor of a named tuple is slow, and this is the innermost loop of indexing.
new_element: Any = partial(tuple.__new__, RawDataElement)
_PLAIN_LONG_VRS = {code: name for code, name in LONG_VRS.items() if name not in ("SQ", "UN")}


class TagRange(NamedTuple):
    """Tags from `first` to before `behind`."""

    first: int
    behind: int


# Groups without rules: not 0000, and nothing from pixel data on. Group 0002 is the file meta information.
DATA_SET = TagRange(0x00010000, 0x7FE00000)
FILE_META = TagRange(0x00020000, 0x00030000)


def take_plain_explicit(
    headers: ElementHeaders, at: int, found: Elements, tags: TagRange, encoding: Encoding, with_private: bool
) -> int:
    """Put the plain elements from `at` on into `found`; return where another one begins."""
    data, start = headers.window.data, headers.window.start
    unpack, unpack_length = headers.unpack_explicit, headers.unpack_length
    first, behind = tags
    is_little_endian = encoding.is_little_endian
    may_load = headers.budget.take_private_value
    longest = headers.budget.limits.value_length
    size = min(len(data), headers.end - start)
    place, taken, loaded = at - start, 0, 0
    for _ in range(headers.budget.elements_at_once() if place >= 0 else 0):
        if place + 12 > size:
            break
        group, element, code, length = unpack(data, place)
        tag = group << 16 | element
        vr = SHORT_VRS.get(code)
        if vr is not None:
            value_at = place + 8
        elif (vr := _PLAIN_LONG_VRS.get(code)) is not None:
            value_at = place + 12
            (length,) = unpack_length(data, place + 8)
        else:
            break
        end = value_at + length
        if end > size or length > longest or not first <= tag < behind or tag == NUMBER_OF_FRAMES:
            break
        if with_private or not group & 1:
            key = base_tag(tag)
            value = data[value_at:end] if not group & 1 or may_load(length) else None
            loaded += 0 if value is None else length
            found[key] = new_element(
                (key, vr, length, value, start + value_at, False, is_little_endian, True, False)
            )
        place = end
        taken += 1
    headers.budget.take_elements(taken)
    headers.budget.take_bytes(loaded)
    return start + place


def take_plain_implicit(
    headers: ElementHeaders, at: int, found: Elements, tags: TagRange, encoding: Encoding, with_private: bool
) -> int:
    """Do the same where the elements have no VR; what is a sequence, the data dictionary tells."""
    data, start = headers.window.data, headers.window.start
    unpack = headers.unpack_implicit
    first, behind = tags
    is_little_endian = encoding.is_little_endian
    may_load = headers.budget.take_private_value
    longest = headers.budget.limits.value_length
    size = min(len(data), headers.end - start)
    place, taken, loaded = at - start, 0, 0
    for _ in range(headers.budget.elements_at_once() if place >= 0 else 0):
        if place + 8 > size:
            break
        group, element, length = unpack(data, place)
        tag = group << 16 | element
        value_at = place + 8
        end = value_at + length
        if end > size or length > longest or not first <= tag < behind or tag == NUMBER_OF_FRAMES:
            break
        if with_private or not group & 1:
            if is_sequence_tag(tag):
                break
            key = base_tag(tag)
            value = data[value_at:end] if not group & 1 or may_load(length) else None
            loaded += 0 if value is None else length
            found[key] = new_element(
                (key, None, length, value, start + value_at, True, is_little_endian, True, False)
            )
        place = end
        taken += 1
    headers.budget.take_elements(taken)
    headers.budget.take_bytes(loaded)
    return start + place
