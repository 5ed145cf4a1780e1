"""Several files, one patient: nothing is chosen silently."""

from typing import Any

from imageserver.archive.patients import (
    DATES_DIFFER,
    IDS_DIFFER,
    NAMES_DIFFER,
    read_patient,
    summarise_patients,
    tell_patients_apart,
)
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


class TestTellPatientsApart:
    def test_two_ids_are_two_patients_and_most_files_come_first(self) -> None:
        patients = [patient("Doe", "1"), patient("Roe", "2"), patient("Roe", "2")]
        assert tell_patients_apart(patients) == [1, 0, 0]

    def test_one_id_is_one_patient_whatever_the_name(self) -> None:
        assert tell_patients_apart([patient("Doe^Jane", "1"), patient("Smith^Jane", "1")]) == [0, 0]

    def test_without_ids_names_tell_them_apart_but_not_their_spelling(self) -> None:
        patients = [patient(name, None) for name in ("Doe^Jane", "DOE^JANE^^^", "doe^jane", "Roe^R")]
        assert tell_patients_apart(patients) == [0, 0, 0, 1]

    def test_a_file_without_id_belongs_to_the_patient_whose_name_it_has(self) -> None:
        patients = [patient("Doe", "1"), patient("Doe", "1"), patient("Roe", "2"), patient("ROE", None)]
        assert tell_patients_apart([*patients, patient("Roe", "2")]) == [1, 1, 0, 0, 0]

    def test_a_file_that_says_neither_belongs_to_the_first(self) -> None:
        patients = [patient(None, None), patient("Doe", "1"), patient("Roe", "2")]
        assert tell_patients_apart(patients) == [0, 0, 1]
        assert tell_patients_apart([patient(None, None)] * 2) == [0, 0]


def test_the_name_shown_is_that_of_the_patient_of_most_files() -> None:
    # Each spelling of the first patient is rarer than the one name of the second.
    patients = [patient(name, "1") for name in ("Doe^J", "Doe^Jane", "Doe^Jane M")]
    summary = summarise_patients([*patients, patient("Roe^R", "2"), patient("Roe^R", "2")])
    assert (summary["name"], summary["patient_id"]) == ("Doe, J", "1")
    assert summary["other_names"][0] == {"name": "Roe, R", "count": 2}
    assert codes(summary) == [NAMES_DIFFER, IDS_DIFFER]


def test_different_birth_dates_are_told() -> None:
    both = [{**patient("Doe"), "birth_date": date} for date in ("19800101", "19800102", None)]
    assert codes(summarise_patients(both)) == [DATES_DIFFER]
    assert summarise_patients(both)["birth_date"] == "19800101"
    assert summarise_patients(both) == summarise_patients(both[::-1])
