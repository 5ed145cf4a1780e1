"""What the files of a series say alike about patient, study and series: worked out once, not for each file.

Files share an answer only where they agree in every byte of all attributes of these levels.
"""

from typing import Any, NamedTuple

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from imageserver.archive.patients import read_patient
from imageserver.dicom.attributes import ATTRIBUTES, Level, read_attributes, text_findings
from imageserver.dicom.header import Header
from imageserver.dicom.identifiers import is_address
from imageserver.dicom.limits import Finding
from imageserver.dicom.raw_elements import element_of
from imageserver.dicom.text_values import text

STUDY_COLUMNS = ("study_instance_uid", "study_date", "study_time", "study_description", "accession_number")
SERIES_COLUMNS = (
    "series_instance_uid",
    "modality",
    "series_description",
    "series_number",
    "series_date",
    "series_time",
)
_READ_FROM = (
    "SpecificCharacterSet",
    "PatientName",
    *(attribute.keyword for attribute in ATTRIBUTES if attribute.level != Level.INSTANCE),
)
_REMEMBERED = 64  # series whose files come mixed
_LONGEST = 16 * 1024  # bytes of all these attributes together

_Key = tuple[tuple[str | None, bytes | None] | None, ...]


class CommonValues(NamedTuple):
    """Attributes of the levels above an instance; not to be changed, since instances share them."""

    patient: dict[str, Any]
    study: dict[str, Any]
    series: dict[str, Any]
    findings: list[Finding]


_remembered: dict[_Key, CommonValues] = {}


def read_common_values(header: Header) -> CommonValues:
    """Return what a file says about patient, study and series, and what had to be guessed about their texts."""
    key = _key(header.dataset)
    if key is None:
        return _read(header)
    if (found := _remembered.get(key)) is None:
        if len(_remembered) >= _REMEMBERED:
            _remembered.clear()
        found = _remembered[key] = _read(header)
    return found


def _read(header: Header) -> CommonValues:
    return CommonValues(
        read_patient(header),
        read_attributes(header.dataset, Level.STUDY, STUDY_COLUMNS),
        read_attributes(header.dataset, Level.SERIES, SERIES_COLUMNS),
        text_findings(header.dataset),
    )


def _key(dataset: Dataset) -> _Key | None:
    """Return the bytes that all depends on; None where more does: UIDs are derived from other attributes."""
    if not all(is_address(text(dataset, name) or "") for name in ("StudyInstanceUID", "SeriesInstanceUID")):
        return None
    found: list[tuple[str | None, bytes | None] | None] = []
    size = 0
    for keyword in _READ_FROM:
        element = element_of(dataset, keyword)
        if element is None:
            found.append(None)
        elif isinstance(element, RawDataElement):
            found.append((element.VR, element.value))
            size += element.length
        else:
            return None
    return tuple(found) if size <= _LONGEST else None
