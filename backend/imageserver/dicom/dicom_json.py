"""The header of an instance in the DICOM JSON model.

Built from the bytes of the file by our own tolerant values. An element that cannot be expressed is left out and named
in the findings; it never takes the others along.

References
----------
DICOM PS3.18 F
"""

import math
from typing import NamedTuple

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from imageserver.dicom.element_vrs import BINARY, vr_of
from imageserver.dicom.json_values import Json, Unreadable, inline_binary, json_values
from imageserver.dicom.limits import Finding
from imageserver.dicom.number_values import integer
from imageserver.dicom.reading import Header
from imageserver.dicom.sequence_items import name_sequence
from imageserver.dicom.text_values import character_sets_of

INLINE_BYTES = 1024  # longer binary values are referred to
VALUE_BYTES = 1 << 20  # longer texts and lists of numbers are referred to
MAX_FINDINGS = 100
BULK_DATA = "bulkdata/"

_SPECIFIC_CHARACTER_SET = 0x00080005
_PIXEL_DATA_VRS = {"FloatPixelData": ("7FE00008", "OF"), "DoubleFloatPixelData": ("7FE00009", "OD")}


class DicomJson(NamedTuple):
    """A data set as JSON values, and what could not be expressed."""

    dataset: Json
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
                reason = "" if isinstance(error, Unreadable) else f" ({type(error).__name__})"
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
