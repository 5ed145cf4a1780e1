"""Several files, one patient: nothing is chosen silently."""

from typing import Any

from imageserver.archive.patients import IDS_DIFFER, NAMES_DIFFER, read_patient, summarise_patients
from imageserver.dicom.reading import read_header
from tests.builders import image, stream


def patient(name: str | None, patient_id: str | None = "1") -> dict[str, Any]:
    return read_patient(read_header(stream(image(PatientName=name, PatientID=patient_id))))


def codes(summary: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in summary["warnings"]]


def test_what_one_file_says() -> None:
    dataset = image(PatientName="Doe^John", PatientID="P7", PatientBirthDate="19800229", PatientSex="M")
    found = read_patient(read_header(stream(dataset)))
    expected = {"name": "Doe, John", "patient_id": "P7", "birth_date": "19800229", "sex": "M"}
    assert {key: found[key] for key in expected} == expected


def test_one_name_has_no_others() -> None:
    summary = summarise_patients([patient("Doe^John")] * 3)
    assert (summary["name"], summary["other_names"], summary["warnings"]) == ("Doe, John", [], [])


def test_the_name_of_most_files_comes_first_and_the_others_are_counted() -> None:
    summary = summarise_patients([patient("Roe^R"), patient("Doe^J"), patient("Doe^J"), patient(None)])
    assert summary["name"] == "Doe, J"
    assert summary["other_names"] == [{"name": None, "count": 1}, {"name": "Roe, R", "count": 1}]
    assert codes(summary) == [NAMES_DIFFER]


def test_equal_counts_do_not_depend_on_the_order_of_files() -> None:
    both = [patient("Zed^A"), patient("Abe^B")]
    assert summarise_patients(both) == summarise_patients(both[::-1])


def test_different_patient_ids_are_told() -> None:
    assert codes(summarise_patients([patient("Doe", "1"), patient("Doe", "2")])) == [IDS_DIFFER]
