"""The attributes that the index keeps: one table, from which columns, search and the JSON follow."""

import datetime
from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

from pydicom.dataset import Dataset

from imageserver.dicom.decoded_text import text_finding
from imageserver.dicom.identifiers import address_uid, is_address
from imageserver.dicom.limits import Finding
from imageserver.dicom.number_values import integer, number
from imageserver.dicom.person_name import read_person_name
from imageserver.dicom.text_values import decoded_text, text, texts

Value = str | int | float | None


class Level(StrEnum):
    """Levels of the DICOM model (PS3.3 7)."""

    PATIENT = "patient"
    STUDY = "study"
    SERIES = "series"
    INSTANCE = "instance"


class Attribute(NamedTuple):
    """One row of the table.

    Attributes
    ----------
    keyword : str
        As in PS3.6.
    level : Level
    column : str
        Its snake_case name in Python, SQL, JSON and URLs.
    vr : str
    is_searchable : bool
        Whether clients may search by it.
    """

    keyword: str
    level: Level
    column: str
    vr: str
    is_searchable: bool = False


_P, _ST, _SE, _I = Level.PATIENT, Level.STUDY, Level.SERIES, Level.INSTANCE

ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("PatientName", _P, "patient_name", "PN", True),
    Attribute("PatientID", _P, "patient_id", "LO", True),
    Attribute("IssuerOfPatientID", _P, "issuer_of_patient_id", "LO"),
    Attribute("PatientBirthDate", _P, "patient_birth_date", "DA", True),
    Attribute("PatientSex", _P, "patient_sex", "CS", True),
    Attribute("StudyInstanceUID", _ST, "study_instance_uid", "UI", True),
    Attribute("StudyDate", _ST, "study_date", "DA", True),
    Attribute("StudyTime", _ST, "study_time", "TM", True),
    Attribute("AccessionNumber", _ST, "accession_number", "SH", True),
    Attribute("ReferringPhysicianName", _ST, "referring_physician_name", "PN", True),
    Attribute("StudyID", _ST, "study_id", "SH", True),
    Attribute("StudyDescription", _ST, "study_description", "LO", True),
    Attribute("SeriesInstanceUID", _SE, "series_instance_uid", "UI", True),
    Attribute("Modality", _SE, "modality", "CS", True),
    Attribute("SeriesNumber", _SE, "series_number", "IS", True),
    Attribute("SeriesDescription", _SE, "series_description", "LO", True),
    Attribute("SeriesDate", _SE, "series_date", "DA"),
    Attribute("SeriesTime", _SE, "series_time", "TM"),
    Attribute("ProtocolName", _SE, "protocol_name", "LO"),
    Attribute("BodyPartExamined", _SE, "body_part_examined", "CS", True),
    Attribute("Laterality", _SE, "laterality", "CS"),
    Attribute("PerformedProcedureStepStartDate", _SE, "performed_procedure_step_start_date", "DA", True),
    Attribute("PerformedProcedureStepStartTime", _SE, "performed_procedure_step_start_time", "TM", True),
    Attribute("Manufacturer", _SE, "manufacturer", "LO"),
    Attribute("ManufacturerModelName", _SE, "manufacturer_model_name", "LO"),
    Attribute("StationName", _SE, "station_name", "SH"),
    Attribute("InstitutionName", _SE, "institution_name", "LO"),
    Attribute("FrameOfReferenceUID", _SE, "frame_of_reference_uid", "UI"),
    Attribute("SOPInstanceUID", _I, "sop_instance_uid", "UI", True),
    Attribute("SOPClassUID", _I, "sop_class_uid", "UI", True),
    Attribute("InstanceNumber", _I, "instance_number", "IS", True),
    Attribute("Rows", _I, "rows", "US"),
    Attribute("Columns", _I, "columns", "US"),
    Attribute("BitsAllocated", _I, "bits_allocated", "US"),
    Attribute("NumberOfFrames", _I, "number_of_frames", "IS"),
    Attribute("PhotometricInterpretation", _I, "photometric_interpretation", "CS"),
)

# What the index counts, and no file says by itself (PS3.4 C.3.4): attributes of answers to searches.
COUNTED_ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("ModalitiesInStudy", _ST, "modalities_in_study", "CS", True),
    Attribute("SOPClassesInStudy", _ST, "sop_classes_in_study", "UI", True),
    Attribute("NumberOfStudyRelatedSeries", _ST, "number_of_study_related_series", "IS"),
    Attribute("NumberOfStudyRelatedInstances", _ST, "number_of_study_related_instances", "IS"),
    Attribute("NumberOfSeriesRelatedInstances", _SE, "number_of_series_related_instances", "IS"),
)

_BY_LEVEL = {level: tuple(a for a in ATTRIBUTES if a.level == level) for level in Level}

# Without these three an object has no address; `read_attributes` always fills them in.
_ADDRESS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
# Texts that people see beside the name.
_SHOWN_TEXTS = ("PatientID", "StudyDescription", "SeriesDescription", "AccessionNumber")
_NAMES = {
    "StudyInstanceUID": "Study Instance UID",
    "SeriesInstanceUID": "Series Instance UID",
    "SOPInstanceUID": "SOP Instance UID",
}


def read_attributes(
    dataset: Dataset, level: Level, columns: Collection[str] | None = None
) -> dict[str, Value]:
    """Read the attributes of one level.

    Parameters
    ----------
    dataset : pydicom.Dataset
        As `read_header` gives it.
    level : Level
        Which rows of the table.
    columns : collection of str, optional
        Only these of them; all where it is not given.

    Returns
    -------
    dict of str to str, int, float or None
        By column; None where the file has no value, or a malformed one. Person names have their delimiters. Dates are
        ``YYYYMMDD`` and exist. A
        UID that makes an address and is missing or malformed is replaced by a derived one.
    """
    return {
        attribute.column: _read(dataset, attribute)
        for attribute in _BY_LEVEL[level]
        if columns is None or attribute.column in columns
    }


def _read(dataset: Dataset, attribute: Attribute) -> Value:
    if attribute.keyword in _ADDRESS:
        uid = text(dataset, attribute.keyword)
        is_good = uid is not None and is_address(uid)
        return uid if is_good else instance_address(dataset)[_ADDRESS.index(attribute.keyword)]
    if attribute.vr in ("IS", "US"):
        return integer(dataset, attribute.keyword)
    if attribute.vr == "DS":
        return number(dataset, attribute.keyword)
    if attribute.vr == "DA":
        return _date(text(dataset, attribute.keyword))
    if attribute.vr == "PN":
        name = read_person_name(dataset, attribute.keyword)
        return name.raw or None
    if attribute.vr == "CS":
        return next(iter(texts(dataset, attribute.keyword)), None)
    return text(dataset, attribute.keyword)


def text_findings(dataset: Dataset) -> list[Finding]:
    """Say what was guessed while texts other than the name were read; each kind of guess once."""
    decoded = (decoded_text(dataset, keyword) for keyword in _SHOWN_TEXTS)
    codes = dict.fromkeys(code for value in decoded if value is not None for code in value.warnings)
    return [text_finding(code) for code in codes]


def _date(value: str | None) -> str | None:
    """Return a date as YYYYMMDD; the form with dots is that of ACR-NEMA (PS3.5 6.2)."""
    digits = (value or "").replace(".", "")
    if len(digits) != 8 or not digits.isascii() or not digits.isdigit():
        return None
    try:
        datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return digits


class InstanceAddress(NamedTuple):
    """The three UIDs that make the address of an instance."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str


def instance_address(dataset: Dataset, file_meta: Dataset | None = None) -> InstanceAddress:
    """Return the address of an instance; a UID that is missing or malformed is derived from the others.

    Files without any UID are told apart by what else they say; the archive tells those apart by their content
    that say nothing else.

    Parameters
    ----------
    dataset : pydicom.Dataset
        As `read_header` gives it.
    file_meta : pydicom.Dataset, optional
        Its Media Storage SOP Instance UID is the SOP Instance UID where the data set has none (PS3.10 7.1).
    """
    study, series, sop = (text(dataset, keyword) or "" for keyword in _ADDRESS)
    if is_address(study) and is_address(series) and is_address(sop):
        return InstanceAddress(study, series, sop)
    patient = text(dataset, "PatientID") or ""
    study_uid = address_uid(
        study, "study", patient, text(dataset, "StudyDate") or "", text(dataset, "StudyID") or ""
    )
    series_uid = address_uid(
        series, "series", study_uid, text(dataset, "SeriesNumber") or "", text(dataset, "Modality") or ""
    )
    own = [
        text(dataset, keyword) or ""
        for keyword in ("InstanceNumber", "ImagePositionPatient", "AcquisitionTime", "ContentTime")
    ]
    if not is_address(sop) and file_meta is not None:
        sop = text(file_meta, "MediaStorageSOPInstanceUID") or sop
    return InstanceAddress(study_uid, series_uid, address_uid(sop, "instance", series_uid, *own))


def derived_addresses(dataset: Dataset, address: InstanceAddress) -> list[Finding]:
    """Say which UIDs of an address are not those that stand in the data set."""
    derived = [
        _NAMES[keyword]
        for keyword, uid in zip(_ADDRESS, address, strict=True)
        if (text(dataset, keyword) or "") != uid
    ]
    if not derived:
        return []
    return [
        Finding(
            "derived_uid",
            f"The file has no usable {' and '.join(derived)}; another one stands in for it here.",
        )
    ]
