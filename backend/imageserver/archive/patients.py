"""What the files of a series say about its patient, put together without choosing silently."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from imageserver.dicom.attributes import Level, read_attributes
from imageserver.dicom.person_name import name_finding, patient_name
from imageserver.dicom.reading import Header

NAMES_DIFFER = "patient_names_differ"
IDS_DIFFER = "patient_ids_differ"
DATES_DIFFER = "birth_dates_differ"
_COLUMNS = ("patient_id", "issuer_of_patient_id", "patient_birth_date", "patient_sex")


def read_patient(header: Header) -> dict[str, Any]:
    """Return what one file says: the name with its groups, Patient ID, birth date (YYYYMMDD) and sex."""
    attributes = read_attributes(header.dataset, Level.PATIENT, _COLUMNS)
    return {
        **patient_name(header.dataset).as_dict(),
        "patient_id": attributes["patient_id"],
        "issuer_of_patient_id": attributes["issuer_of_patient_id"],
        "birth_date": attributes["patient_birth_date"],
        "sex": attributes["patient_sex"],
    }


def tell_patients_apart(patients: Sequence[dict[str, Any]]) -> list[int]:
    """Return the number of the patient of each file: 0 is the one whom most files name.

    Two Patient IDs are two patients. Files without one belong to the patient whose name they have; where no file has
    an ID, names tell patients apart, whatever their case and padding. Files that say neither belong to the first.
    """
    named = {(one["patient_id"], _folded(one["raw"])) for one in patients if one["patient_id"] and one["raw"]}
    ids = {name: identity for identity, name in sorted(named, reverse=True)}
    known = [one["patient_id"] or ids.get(_folded(one["raw"])) for one in patients]
    has_ids = any(known)
    keys = [
        identity or ("" if has_ids and not one["raw"] else _folded(one["raw"]))
        for one, identity in zip(patients, known, strict=True)
    ]
    counts = Counter(key for key in keys if key)
    order = sorted(counts, key=lambda key: (-counts[key], key))
    number_of = {key: number for number, key in enumerate(order)}
    return [number_of.get(key, 0) for key in keys]


def _folded(name: str | None) -> str:
    return " ".join((name or "").casefold().rstrip("^= ").split())


def summarise_patients(patients: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the patient whom most files name, as most of those files say it, with the other names and their counts.

    Equal counts are settled by the texts, so that the answer is always the same.
    """
    found = list(patients)
    if not found:
        return {}
    numbers = tell_patients_apart(found)
    own = Counter(_identity(one) for one, number in zip(found, numbers, strict=True) if number == 0)
    names = Counter(one["raw"] for one in found)
    first = min(own, key=lambda said: (-own[said], [(part is None, part or "") for part in said]))
    chosen = next(one for one in found if _identity(one) == first)
    by_raw = {one["raw"]: one for one in found}
    others = [
        {"name": by_raw[other]["name"], "count": count}
        for other, count in sorted(names.items(), key=lambda item: (-item[1], item[0] or ""))
        if other != chosen["raw"]
    ]
    return {
        **chosen,
        "count": names[chosen["raw"]],
        "other_names": others,
        "warnings": _warnings(chosen, found, others),
    }


def _identity(patient: dict[str, Any]) -> tuple[str | None, ...]:
    issuer = patient.get("issuer_of_patient_id")  # former versions did not read it
    return patient["raw"], patient["patient_id"], patient["birth_date"], patient["sex"], issuer


def _warnings(chosen: dict[str, Any], found: list[dict[str, Any]], others: list[Any]) -> list[dict[str, Any]]:
    warnings = [name_finding(code).as_dict() for code in chosen["warnings"]]
    if others:
        warnings.append(_warning(NAMES_DIFFER, "The files of this series disagree about the patient's name."))
    if len({patient["patient_id"] for patient in found}) > 1:
        warnings.append(_warning(IDS_DIFFER, "The files of this series disagree about the Patient ID."))
    if len({patient["birth_date"] for patient in found if patient["birth_date"]}) > 1:
        warnings.append(_warning(DATES_DIFFER, "The files of this series disagree about the birth date."))
    return warnings


def _warning(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "sop_instance_uids": []}
