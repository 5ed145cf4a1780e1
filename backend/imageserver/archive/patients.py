"""What the files of a series say about its patient, put together without choosing silently."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from imageserver.dicom.attributes import Level, read_attributes
from imageserver.dicom.person_name import name_finding, patient_name
from imageserver.dicom.reading import Header

NAMES_DIFFER = "patient_names_differ"
IDS_DIFFER = "patient_ids_differ"
_COLUMNS = ("patient_id", "patient_birth_date", "patient_sex")


def read_patient(header: Header) -> dict[str, Any]:
    """Return what one file says: the name with its groups, Patient ID, birth date (YYYYMMDD) and sex."""
    attributes = read_attributes(header.dataset, Level.PATIENT, _COLUMNS)
    return {
        **patient_name(header.dataset).as_dict(),
        "patient_id": attributes["patient_id"],
        "birth_date": attributes["patient_birth_date"],
        "sex": attributes["patient_sex"],
    }


def summarise_patients(patients: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the patient whom most files name, with the other names and their counts.

    Equal counts are settled by the text of the name, so that the answer is always the same.
    """
    found = list(patients)
    counts = Counter(patient["raw"] for patient in found)
    if not counts:
        return {}
    raw, _ = min(counts.items(), key=lambda item: (-item[1], item[0] is None, item[0] or ""))
    chosen = next(patient for patient in found if patient["raw"] == raw)
    by_raw = {patient["raw"]: patient for patient in found}
    others = [
        {"name": by_raw[other]["name"], "count": count}
        for other, count in sorted(counts.items(), key=lambda item: (-item[1], item[0] or ""))
        if other != raw
    ]
    return {
        **chosen,
        "count": counts[raw],
        "other_names": others,
        "warnings": _warnings(chosen, found, others),
    }


def _warnings(chosen: dict[str, Any], found: list[dict[str, Any]], others: list[Any]) -> list[dict[str, Any]]:
    warnings = [name_finding(code).as_dict() for code in chosen["warnings"]]
    if others:
        warnings.append(_warning(NAMES_DIFFER, "The files of this series disagree about the patient's name."))
    if len({patient["patient_id"] for patient in found}) > 1:
        warnings.append(_warning(IDS_DIFFER, "The files of this series disagree about the Patient ID."))
    return warnings


def _warning(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "sop_instance_uids": []}
