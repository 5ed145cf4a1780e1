"""The header of an instance in the DICOM JSON model.

Built from the bytes of the file by our own tolerant values. An element that cannot be expressed is left out and named
in the findings; it never takes the others along.

References
----------
DICOM PS3.18 F
"""

import json
import math
from typing import Any, NamedTuple

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from imageserver.dicom.element_vrs import BINARY, vr_of
from imageserver.dicom.json_values import Json, Unreadable, inline_binary, json_values
from imageserver.dicom.limits import Finding
from imageserver.dicom.number_values import integer
from imageserver.dicom.reading import Header
from imageserver.dicom.sequence_items import name_sequence
from imageserver.dicom.tags import is_private
from imageserver.dicom.text_values import character_sets_of

INLINE_BYTES = 1024  # longer binary values are referred to
VALUE_BYTES = 1 << 20  # longer texts and lists of numbers are referred to
MAX_FINDINGS = 100
BULK_DATA = "bulkdata/"

_SPECIFIC_CHARACTER_SET = 0x00080005
_REMEMBERED = 4096  # elements; the files of a series are alike in nearly all of them
_LONGEST_REMEMBERED = 4096  # bytes of a value
_PIXEL_DATA_VRS = {"FloatPixelData": ("7FE00008", "OF"), "DoubleFloatPixelData": ("7FE00009", "OD")}


class DicomJson(NamedTuple):
    """A data set as JSON values, and what could not be expressed."""

    dataset: Json
    findings: tuple[Finding, ...]


class JsonText(NamedTuple):
    """A data set as the text of a JSON object, and what could not be expressed."""

    content: bytes
    findings: tuple[Finding, ...]


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
    dataset = encoder.encode(header.dataset, _outermost(header))
    if (pixel_data := _pixel_data(header)) is not None:
        key, element = pixel_data
        dataset[key] = element
        dataset = dict(sorted(dataset.items()))
    return DicomJson(dataset, encoder.findings())


def header_json_text(header: Header) -> JsonText:
    """Express a header as `header_json` does, as text; what files before said in the same bytes is not encoded again.

    Parameters
    ----------
    header : Header
        As for `header_json`.

    Returns
    -------
    JsonText
        In UTF-8, members by ascending tag, one on each line, without blanks between (`json_members` reads that).
    """
    encoder = _Encoder()
    members = encoder.encode_members(header.dataset, _outermost(header))
    if (pixel_data := _pixel_data(header)) is not None:
        key, element = pixel_data
        members[key] = _member(key, element)
        members = dict(sorted(members.items()))
    return JsonText(b"{\n" + b",\n".join(members.values()) + b"\n}", encoder.findings())


def json_text(value: Any) -> str:
    """Return a value as JSON text, as short as can be."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _member(key: str, element: Json) -> bytes:
    return f'"{key}":{json_text(element)}'.encode()


def _outermost(header: Header) -> _Context:
    return _Context([], integer(header.dataset, "PixelRepresentation") == 1, "", "")


def _pixel_data(header: Header) -> tuple[str, Json] | None:
    if header.pixel_data is None:
        return None
    usual = "OB" if header.pixel_data.is_encapsulated else "OW"  # PS3.5 A.1, A.4
    vr = header.pixel_data.vr if header.pixel_data.vr in ("OB", "OW") else usual
    key, vr = _PIXEL_DATA_VRS.get(header.pixel_data.keyword, ("7FE00010", vr))
    return key, {"vr": vr, "BulkDataURI": BULK_DATA + key}


_remembered: dict[tuple[Any, ...], bytes] = {}


class _Encoder:
    """Encodes data sets and collects what could not be."""

    def __init__(self) -> None:
        self._findings: dict[tuple[str, str], Finding] = {}
        self._noted = 0

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
                self._note_unreadable(error, key, context)
                continue
            if value is not None:
                encoded[key] = value
        return encoded

    def encode_members(self, dataset: Dataset, context: _Context) -> dict[str, bytes]:
        """Return the members of the outermost object as text, by tag."""
        elements = dataset._dict
        if _SPECIFIC_CHARACTER_SET in elements:
            context = context._replace(character_sets=character_sets_of(dataset))
        shared = (*context.character_sets, context.is_signed)
        members: dict[str, bytes] = {}
        for tag in sorted(elements):
            if tag & 0xFFFF == 0 or tag >> 16 in (0x0000, 0x0002, 0xFFFE):
                continue
            key = f"{tag:08X}"
            member = self._remembered_member(dataset, elements[tag], key, context, shared)
            if member is not None:
                members[key] = member
        return members

    def _remembered_member(
        self,
        dataset: Dataset,
        element: RawDataElement | DataElement,
        key: str,
        context: _Context,
        shared: tuple[Any, ...],
    ) -> bytes | None:
        all_that_counts = _all_that_counts(element)
        if all_that_counts is None:
            return self._encode_member(dataset, element, key, context)
        question = (*all_that_counts, *shared)
        if (member := _remembered.get(question)) is None:
            before = self._noted
            member = self._encode_member(dataset, element, key, context)
            if member is not None and self._noted == before:
                if len(_remembered) >= _REMEMBERED:
                    _remembered.clear()
                _remembered[question] = member
        return member

    def _encode_member(
        self, dataset: Dataset, element: RawDataElement | DataElement, key: str, context: _Context
    ) -> bytes | None:
        try:
            value = self._encode_element(dataset, element, key, context)
            return None if value is None else _member(key, value)
        except Exception as error:
            self._note_unreadable(error, key, context)
            return None

    def _note_unreadable(self, error: Exception, key: str, context: _Context) -> None:
        reason = "" if isinstance(error, Unreadable) else f" ({type(error).__name__})"
        self._note("unreadable_value", key, context, f"cannot be read{reason} and is left out")

    def _note(self, code: str, key: str, context: _Context, what: str) -> None:
        self._noted += 1
        name = f"{context.name}({key[:4]},{key[4:]})"
        if len(self._findings) < MAX_FINDINGS:
            self._findings.setdefault((code, name), Finding(code, f"The value of {name} {what}."))

    def _encode_element(
        self, dataset: Dataset, element: RawDataElement | DataElement, key: str, context: _Context
    ) -> Json | None:
        vr = vr_of(dataset, element, context.is_signed)
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
        if vr in BINARY:
            if len(value) > INLINE_BYTES:
                return {"vr": vr, "BulkDataURI": f"{BULK_DATA}{context.path}{key}"}
            return {"vr": vr, "InlineBinary": inline_binary(value, vr, element.is_little_endian)}
        if len(value) > VALUE_BYTES:
            return {"vr": vr, "BulkDataURI": f"{BULK_DATA}{context.path}{key}"}
        values = json_values(value, vr, element.is_little_endian, context.character_sets)
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
                name_sequence(dataset, element)
        value = dataset[BaseTag(element.tag)].value
        items = [item for item in value or () if isinstance(item, Dataset)]
        name = f"{context.name}({key[:4]},{key[4:]}) > "
        encoded = [
            self.encode(item, context._replace(path=f"{context.path}{key}/{number}/", name=name))
            for number, item in enumerate(items, 1)
        ]
        return {"vr": "SQ", "Value": encoded} if encoded else {"vr": "SQ"}


def _all_that_counts(element: RawDataElement | DataElement) -> tuple[Any, ...] | None:
    """Return what the JSON of an element follows from; None where more does, or where it is long."""
    if not isinstance(element, RawDataElement) or element.value is None:
        return None
    tag, vr, length, value, _, is_implicit_vr, is_little_endian = element[:7]
    if length > _LONGEST_REMEMBERED or (is_private(tag) and vr in (None, "UN")):  # the creator tells the VR
        return None
    return tag, vr, value, is_implicit_vr, is_little_endian
