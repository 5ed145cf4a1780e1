import re

import pytest
from pydicom.datadict import dictionary_VR

from imageserver.dicom.attributes import (
    ATTRIBUTES,
    COUNTED_ATTRIBUTES,
    Level,
    derived_addresses,
    instance_address,
    read_attributes,
    text_findings,
)
from imageserver.dicom.identifiers import is_valid_uid
from imageserver.dicom.reading import read_header
from tests import builders


def read(level: Level, **attributes: object) -> dict[str, object]:
    return dict(read_attributes(read_header(builders.stream(builders.image(**attributes))).dataset, level))


class TestTable:
    def test_value_representations_are_those_of_the_standard(self) -> None:
        table = (*ATTRIBUTES, *COUNTED_ATTRIBUTES)
        assert {a.keyword: a.vr for a in table} == {a.keyword: dictionary_VR(a.keyword) for a in table}

    def test_holds_what_searches_are_to_match_and_to_answer(self) -> None:
        # PS3.18 tables 10.6.3-3 to 10.6.3-5, but for what depends on the address of the server
        # (Retrieve URL, Instance Availability) and for the items of Request Attributes Sequence.
        studies = {"StudyDate", "StudyTime", "AccessionNumber", "ModalitiesInStudy", "ReferringPhysicianName",
                   "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID",
                   "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"}  # fmt: skip
        series = {"Modality", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber",
                  "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime",
                  "NumberOfSeriesRelatedInstances"}  # fmt: skip
        instances = {"SOPClassUID", "SOPInstanceUID", "InstanceNumber", "Rows", "Columns", "BitsAllocated",
                     "NumberOfFrames"}  # fmt: skip
        levels = {a.keyword: a.level for a in (*ATTRIBUTES, *COUNTED_ATTRIBUTES)}
        assert {levels[keyword] for keyword in studies} == {Level.PATIENT, Level.STUDY}
        assert {levels[keyword] for keyword in series} == {Level.SERIES}
        assert {levels[keyword] for keyword in instances} == {Level.INSTANCE}

    def test_columns_are_the_keywords_in_snake_case(self) -> None:
        for attribute in (*ATTRIBUTES, *COUNTED_ATTRIBUTES):
            words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", attribute.keyword)
            assert attribute.column == words.lower()


class TestReadAttributes:
    def test_of_a_series(self) -> None:
        values = read(Level.SERIES, SeriesDescription="Thorax ", BodyPartExamined="CHEST")
        assert values["series_instance_uid"] == builders.uid("series")
        assert (values["modality"], values["series_number"]) == ("CT", 1)
        assert (values["series_description"], values["body_part_examined"]) == ("Thorax", "CHEST")
        assert values["series_date"] is None

    def test_only_the_columns_that_are_asked_for(self) -> None:
        dataset = builders.image(PatientSex="F")
        assert read_attributes(dataset, Level.PATIENT, {"patient_sex"}) == {"patient_sex": "F"}

    def test_person_names_keep_their_delimiters(self) -> None:
        values = read(
            Level.STUDY, SpecificCharacterSet="ISO_IR 192", ReferringPhysicianName="Müller^Anna^^Dr."
        )
        assert values["referring_physician_name"] == "Müller^Anna^^Dr."
        assert read(Level.PATIENT, PatientName=None)["patient_name"] is None
        assert read(Level.PATIENT)["patient_name"] == "Doe^Jane"

    def test_text_is_decoded_by_the_character_set_of_the_file(self) -> None:
        values = read(Level.STUDY, SpecificCharacterSet="ISO_IR 144", StudyDescription="Голова")
        assert values["study_description"] == "Голова"

    @pytest.mark.parametrize("vr", ["UN", "OB", "LT"])
    def test_text_of_another_vr_is_text(self, vr: str) -> None:
        dataset = builders.with_bytes(builders.image(), "StudyDescription", "Größe".encode(), vr)
        dataset.SpecificCharacterSet = "ISO_IR 192"
        header = read_header(builders.stream(dataset))
        assert read_attributes(header.dataset, Level.STUDY)["study_description"] == "Größe"

    @pytest.mark.parametrize(
        ("written", "date"),
        [
            ("20260228", "20260228"),
            ("2026.02.28", "20260228"),
            ("20260230", None),
            ("00000000", None),
            ("", None),
        ],
    )
    def test_dates_exist(self, written: str, date: str | None) -> None:
        dataset = builders.image()
        dataset.add_new("StudyDate", "LO", written)
        assert read_attributes(dataset, Level.STUDY)["study_date"] == date

    @pytest.mark.parametrize("level", Level)
    def test_an_empty_data_set_has_every_column(self, level: Level) -> None:
        values = read_attributes(read_header(builders.stream(builders.item(Modality="OT"))).dataset, level)
        assert set(values) == {a.column for a in ATTRIBUTES if a.level == level}


class TestTextFindings:
    def codes(self, **texts: bytes) -> list[str]:
        dataset = builders.image()
        for keyword, value in texts.items():
            builders.with_bytes(dataset, keyword, value)
        return [finding.code for finding in text_findings(read_header(builders.stream(dataset)).dataset)]

    def test_nothing_is_said_of_text_as_declared(self) -> None:
        assert (
            self.codes(SpecificCharacterSet=b"ISO_IR 100", StudyDescription="Schädel".encode("latin-1")) == []
        )

    def test_each_kind_of_guess_is_said_once(self) -> None:
        found = self.codes(
            SpecificCharacterSet=b"ISO_IR 100",
            StudyDescription="Schädel".encode(),
            SeriesDescription="Größe".encode(),
            PatientID=b"\xff",
        )
        assert found == ["wrong_character_set"]
        assert self.codes(SeriesDescription=b"Gr\xf6\xdfe") == ["undeclared_character_set"]


class TestInstanceAddress:
    def test_is_that_of_the_file(self) -> None:
        dataset = builders.image(series="s", instance=4)
        assert instance_address(dataset) == (
            builders.uid("study of", "s"),
            builders.uid("s"),
            builders.uid("s", 4),
        )

    def test_is_derived_where_uids_are_missing(self) -> None:
        missing = {"StudyInstanceUID": None, "SeriesInstanceUID": None, "SOPInstanceUID": None}
        one = instance_address(builders.image(InstanceNumber=1, **missing))
        two = instance_address(builders.image(InstanceNumber=2, **missing))
        other = instance_address(builders.image(PatientID="TEST-2", **missing))
        assert all(map(is_valid_uid, one))
        assert one[:2] == two[:2]
        assert one[2] != two[2]
        assert one[0] != other[0]

    def test_the_media_storage_uid_stands_in_for_the_instance(self) -> None:
        # PS3.10 table 7.1-1: it is the SOP Instance UID of the data set.
        dataset = builders.image(SOPInstanceUID=None)
        meta = builders.item(MediaStorageSOPInstanceUID="1.2.3")
        assert instance_address(dataset, meta).sop_instance_uid == "1.2.3"
        assert instance_address(builders.image(), meta).sop_instance_uid == builders.uid("series", 1)

    def test_leading_zeros_are_kept(self) -> None:
        address = instance_address(builders.image(SeriesInstanceUID="1.2.840.0113.1"))
        assert address.series_instance_uid == "1.2.840.0113.1"

    def test_what_was_derived_is_named(self) -> None:
        dataset = builders.image(SeriesInstanceUID="1.2.x", SOPInstanceUID=None)
        [finding] = derived_addresses(dataset, instance_address(dataset))
        assert finding.code == "derived_uid"
        assert "no usable Series Instance UID and SOP Instance UID" in finding.message
        dataset = builders.image()
        assert derived_addresses(dataset, instance_address(dataset)) == []
