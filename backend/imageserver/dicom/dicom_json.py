"""The header of an instance in the DICOM JSON model.

Built from the bytes of the file by our own tolerant values. An element that cannot be expressed is left out and named
in the findings; it never takes the others along.

References
----------
DICOM PS3.18 F
"""

import base64
import math
import struct
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from pydicom.datadict import dictionary_VR, private_dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from imageserver.dicom.character_sets import PERSON_NAME_DELIMITERS, TEXT_DELIMITERS, decode_text
from imageserver.dicom.encodings import is_explicit_inside
from imageserver.dicom.limits import Finding
from imageserver.dicom.number_values import integer, parse_decimal
from imageserver.dicom.reading import Header
from imageserver.dicom.tags import is_private
from imageserver.dicom.text_values import character_sets_of

INLINE_BYTES = 1024  # longer binary values are referred to
VALUE_BYTES = 1 << 20  # longer texts and lists of numbers are referred to
MAX_FINDINGS = 100
BULK_DATA = "bulkdata/"

_EXACT_INTEGER = 2**53 - 1  # what every reader of JSON keeps exactly (RFC 8259, 6)
_EXACT_DIGITS = 15  # decimal digits that a double always keeps
_SPECIFIC_CHARACTER_SET = 0x00080005
_PN_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_NUMBERS = {
    "US": "H", "SS": "h", "UL": "L", "SL": "l", "UV": "Q", "SV": "q", "FL": "f", "FD": "d",
}  # fmt: skip
# Binary VRs with the size of the words that a big endian file holds the other way round (PS3.18 F.2.7).
_BINARY = {"OB": 1, "UN": 1, "OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}
_CODES = frozenset({"AE", "AS", "CS", "DA", "DT", "TM", "UI", "DS", "IS"})  # not affected by character sets
_WHOLE_TEXTS = frozenset({"ST", "LT", "UT", "UR"})  # one value, in which a backslash is a backslash
_TEXTS = frozenset({"LO", "SH", "UC"})
_PIXEL_DATA_VRS = {"FloatPixelData": ("7FE00008", "OF"), "DoubleFloatPixelData": ("7FE00009", "OD")}

Json = dict[str, Any]


class DicomJson(NamedTuple):
    """A data set as JSON values, and what could not be expressed."""

    dataset: Json
    findings: tuple[Finding, ...]


class _Unreadable(ValueError):
    """The value contradicts its VR."""


class _Context(NamedTuple):
    """What an item inherits: character sets (PS3.5 7.5.3), sign of "US or SS", and where it stands."""

    character_sets: list[str]
    is_signed: bool
    path: str
    name: str


def header_json(header: Header) -> DicomJson:
    """Express a header in the DICOM JSON model.

    Parameters
    ----------
    header : Header
        As `read_header` gives it; with its private elements where they are wanted.

    Returns
    -------
    DicomJson
        ``dataset`` has one member per attribute, by its tag in eight hexadecimal digits, in ascending order. DS, IS,
        SV and UV are numbers, and strings where a double would lose digits. Binary values beyond `INLINE_BYTES`,
        pixel data, and floats that JSON has no number for are referred to by a relative ``BulkDataURI``:
        ``bulkdata/<tag>``, inside sequences ``bulkdata/<tag>/<item, from 1>/<tag>``. Group 0002 and group lengths are
        left out.

    References
    ----------
    DICOM PS3.18 F.2
    """
    encoder = _Encoder()
    is_signed = integer(header.dataset, "PixelRepresentation") == 1
    dataset = encoder.encode(header.dataset, _Context([], is_signed, "", ""))
    if header.pixel_data is not None:
        usual = "OB" if header.pixel_data.is_encapsulated else "OW"  # PS3.5 A.1, A.4
        vr = header.pixel_data.vr if header.pixel_data.vr in ("OB", "OW") else usual
        key, vr = _PIXEL_DATA_VRS.get(header.pixel_data.keyword, ("7FE00010", vr))
        dataset[key] = {"vr": vr, "BulkDataURI": BULK_DATA + key}
        dataset = dict(sorted(dataset.items()))
    return DicomJson(dataset, encoder.findings())


class _Encoder:
    """Encodes data sets and collects what could not be."""

    def __init__(self) -> None:
        self._findings: dict[tuple[str, str], Finding] = {}

    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._findings.values())

    def encode(self, dataset: Dataset, context: _Context) -> Json:
        elements = dataset._dict
        if _SPECIFIC_CHARACTER_SET in elements:
            context = context._replace(character_sets=character_sets_of(dataset))
        encoded: Json = {}
        for tag in sorted(elements):
            if tag & 0xFFFF == 0 or tag >> 16 in (0x0000, 0x0002, 0xFFFE):
                continue
            key = f"{tag:08X}"
            try:
                value = self._encode_element(dataset, elements[tag], key, context)
            except Exception as error:  # one element must never take the others along
                reason = "" if isinstance(error, _Unreadable) else f" ({type(error).__name__})"
                self._note("unreadable_value", key, context, f"cannot be read{reason} and is left out")
                continue
            if value is not None:
                encoded[key] = value
        return encoded

    def _note(self, code: str, key: str, context: _Context, what: str) -> None:
        name = f"{context.name}({key[:4]},{key[4:]})"
        if len(self._findings) < MAX_FINDINGS:
            self._findings.setdefault((code, name), Finding(code, f"The value of {name} {what}."))

    def _encode_element(
        self, dataset: Dataset, element: RawDataElement | DataElement, key: str, context: _Context
    ) -> Json | None:
        vr = _vr_of(dataset, element, context.is_signed)
        if vr == "SQ":
            return self._encode_sequence(dataset, element, key, context)
        if not isinstance(element, RawDataElement):
            return element.to_json_dict(None, 0)  # set in memory, not by a file
        if element.value is None and element.length:
            self._note("long_private_value", key, context, "is longer than the limit")
            return {"vr": vr, "BulkDataURI": f"{BULK_DATA}{context.path}{key}"}
        value = element.value or b""
        if not value:
            return {"vr": vr}
        if vr in _BINARY:
            if len(value) > INLINE_BYTES:
                return {"vr": vr, "BulkDataURI": f"{BULK_DATA}{context.path}{key}"}
            return {"vr": vr, "InlineBinary": _inline(value, vr, element.is_little_endian)}
        if len(value) > VALUE_BYTES:
            return {"vr": vr, "BulkDataURI": f"{BULK_DATA}{context.path}{key}"}
        values = _values(value, vr, element.is_little_endian, context.character_sets)
        if vr in ("FL", "FD") and not all(map(math.isfinite, values)):
            self._note("not_finite", key, context, "is no finite number; it is referred to as bulk data")
            return {"vr": vr, "BulkDataURI": f"{BULK_DATA}{context.path}{key}"}
        return {"vr": vr, "Value": values} if values else {"vr": vr}

    def _encode_sequence(
        self, dataset: Dataset, element: RawDataElement | DataElement, key: str, context: _Context
    ) -> Json | None:
        if isinstance(element, RawDataElement):
            if element.value is None and element.length:
                self._note("long_private_value", key, context, "is longer than the limit and is left out")
                return None
            if element.VR != "SQ":
                _name_sequence(dataset, element)
        value = dataset[BaseTag(element.tag)].value
        items = [item for item in value or () if isinstance(item, Dataset)]
        name = f"{context.name}({key[:4]},{key[4:]}) > "
        encoded = [
            self.encode(item, context._replace(path=f"{context.path}{key}/{number}/", name=name))
            for number, item in enumerate(items, 1)
        ]
        return {"vr": "SQ", "Value": encoded} if encoded else {"vr": "SQ"}


def _name_sequence(dataset: Dataset, element: RawDataElement) -> None:
    """Name a sequence what it is, where the file says UN or nothing (PS3.5 6.2.2, note 2)."""
    is_implicit_vr = element.VR is None or not is_explicit_inside(element.value or b"")
    is_little_endian = element.is_little_endian if element.VR is None else True
    dataset._dict[element.tag] = element._replace(
        VR="SQ", is_implicit_VR=is_implicit_vr, is_little_endian=is_little_endian
    )


def _vr_of(dataset: Dataset, element: RawDataElement | DataElement, is_signed: bool) -> str:
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


_KNOWN = _BINARY.keys() | _NUMBERS.keys() | _CODES | _WHOLE_TEXTS | _TEXTS | {"AT", "PN", "SQ"}


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


def _inline(value: bytes, vr: str, is_little_endian: bool) -> str:
    size = _BINARY[vr]
    if not is_little_endian and size > 1:
        value = b"".join(value[at : at + size][::-1] for at in range(0, len(value), size))
    return base64.b64encode(value).decode("ascii")


def _values(value: bytes, vr: str, is_little_endian: bool, character_sets: list[str]) -> list[Any]:
    if (code := _NUMBERS.get(vr)) is not None:
        return _unpack(value, code, is_little_endian)
    if vr == "AT":
        pairs = _unpack(value, "H", is_little_endian)
        if len(pairs) % 2:
            raise _Unreadable
        return [f"{pairs[at]:04X}{pairs[at + 1]:04X}" for at in range(0, len(pairs), 2)]
    if vr in _CODES:
        text = (
            value.decode("ascii", "replace") if value.isascii() else decode_text(value, character_sets).text
        )
        convert = _CONVERSIONS.get(vr, _as_written)
        return _parts(text, convert)
    delimiters = PERSON_NAME_DELIMITERS if vr == "PN" else TEXT_DELIMITERS
    text = decode_text(value, character_sets, delimiters).text
    if vr in _WHOLE_TEXTS:
        whole = text.replace("\0", "").rstrip(" ")
        return [whole] if whole else []
    return _parts(text, _person_name if vr == "PN" else _as_written)


def _unpack(value: bytes, code: str, is_little_endian: bool) -> list[Any]:
    endian = "<" if is_little_endian else ">"
    count, rest = divmod(len(value), struct.calcsize(endian + code))
    if rest:
        raise _Unreadable
    values = list(struct.unpack(f"{endian}{count}{code}", value))
    return [_exact_integer(number) for number in values] if code in "Qq" else values


def _exact_integer(number: int) -> int | str:
    return number if -_EXACT_INTEGER <= number <= _EXACT_INTEGER else str(number)


def _parts(text: str, convert: Callable[[str], Any]) -> list[Any]:
    """Convert the values of a multi-valued text; an empty one among others is null (PS3.18 F.2.5)."""
    parts = [part.strip() for part in text.replace("\0", "").split("\\")]
    return [convert(part) if part else None for part in parts] if any(parts) else []


def _as_written(part: str) -> str:
    return part


def _decimal(part: str) -> float | str:
    try:
        number = parse_decimal(part)
    except ValueError:
        raise _Unreadable from None
    if isinstance(number, int):
        return _exact_integer(number)
    if not math.isfinite(number):
        return part
    if len(part) > _EXACT_DIGITS and Decimal(repr(number)) != Decimal(part.replace(",", ".")):
        return part
    return number


def _integer(part: str) -> int | str:
    number = _decimal(part)
    if isinstance(number, float):
        if number != int(number):
            raise _Unreadable
        return _exact_integer(int(number))
    return number


def _person_name(part: str) -> Json | None:
    groups = [group.strip() for group in part.split("=")]
    return {name: group for name, group in zip(_PN_GROUPS, groups, strict=False) if group} or None


_CONVERSIONS: dict[str, Callable[[str], Any]] = {"DS": _decimal, "IS": _integer}
