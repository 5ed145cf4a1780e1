"""Files of one series share what they say about patient, study and series, and nothing that they do not say alike."""

import io

import pytest
from pydicom.dataset import Dataset

from imageserver.archive import common_values
from imageserver.archive.common_values import CommonValues, read_common_values
from imageserver.dicom.reading import read_header
from tests.builders import image, to_bytes, volume


def read(dataset: Dataset) -> CommonValues:
    return read_common_values(read_header(io.BytesIO(to_bytes(dataset))))


@pytest.fixture(autouse=True)
def _forget() -> None:
    common_values._remembered.clear()


def test_the_files_of_a_series_share_it() -> None:
    first, second = (read(one) for one in volume(2))
    assert first.patient is second.patient
    assert first.series["series_instance_uid"] == volume(1)[0].SeriesInstanceUID


@pytest.mark.parametrize(
    ("keyword", "value", "level", "column"),
    [
        ("PatientName", "Roe^Richard", "patient", "raw"),
        ("PatientID", "another", "patient", "patient_id"),
        ("PatientBirthDate", "20010203", "patient", "birth_date"),
        ("PatientSex", "O", "patient", "sex"),
        ("StudyDate", "20010203", "study", "study_date"),
        ("StudyTime", "040506", "study", "study_time"),
        ("StudyDescription", "another", "study", "study_description"),
        ("AccessionNumber", "another", "study", "accession_number"),
        ("Modality", "OT", "series", "modality"),
        ("SeriesDescription", "another", "series", "series_description"),
    ],
)
def test_a_file_that_says_something_else_has_its_own(
    keyword: str, value: str, level: str, column: str
) -> None:
    read(image())
    assert getattr(read(image(**{keyword: value})), level)[column] == value


def test_the_same_bytes_in_another_character_set_are_another_name() -> None:
    # 0xD6 is a capital O with diaeresis in ISO 8859-1, a Cyrillic zhe in ISO 8859-5 (PS3.3 C.12.1.1.2).
    def named(term: str) -> str:
        dataset = image(SpecificCharacterSet=term)
        dataset.PatientName = b"\xd6zg\xfcr"
        return str(read(dataset).patient["raw"])

    assert named("ISO_IR 100") == "Özgür"
    assert named("ISO_IR 144") != "Özgür"


def test_files_without_uids_share_nothing() -> None:
    # Their UIDs follow from other attributes.
    first = read(image(StudyInstanceUID=None, StudyID="1"))
    second = read(image(StudyInstanceUID=None, StudyID="2"))
    assert first.study["study_instance_uid"] != second.study["study_instance_uid"]


def test_what_is_remembered_is_bounded() -> None:
    for number in range(200):
        read(image(series=f"series {number}"))
    assert 0 < len(common_values._remembered) <= 64
    read(image(series="long", StudyDescription="x" * 20_000))
    assert not any("x" * 20_000 in str(one.study) for one in common_values._remembered.values())
