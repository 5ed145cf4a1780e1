"""The list of studies and the description of one."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from imageserver.api.studies import iso_time
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.api.conftest import Index
from tests.builders import image, uid, volume
from tests.folders import Folder


def study_uids(answer: dict[str, Any]) -> list[str]:
    return [found["study_instance_uid"] for found in answer["studies"]]


class TestList:
    def test_anonymous(self, client: TestClient) -> None:
        assert client.get("/studies").status_code == 401

    def test_an_empty_folder(self, signed_in: TestClient, index: Index) -> None:
        index()
        answer = signed_in.get("/studies")
        body = answer.json()
        assert (answer.status_code, body["studies"], body["total"]) == (200, [], 0)
        assert (body["totals"], body["index"]["state"]) == ({"series": 0, "slices": 0}, "ready")
        assert answer.headers["Cache-Control"] == "no-store"

    def test_one_study(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        values = {"PatientName": "Doe^John", "PatientBirthDate": "19600102", "PatientSex": "M", "study": "s"}
        folder.write_all(volume(5, series="ct", StudyTime="081500", StudyDescription="Head", **values))
        folder.write("report", image(series="sr", Modality="SR", PixelData=None, Rows=None, **values))
        index()
        (study,) = signed_in.get("/studies").json()["studies"]
        thumbnail = study.pop("thumbnail")
        assert thumbnail.startswith("/thumbnails/")
        assert study == {
            "study_instance_uid": uid("study of", "s"),
            "study_date": "2026-01-02",
            "study_time": "08:15:00",
            "description": "Head",
            "accession_number": None,
            "modalities": ["CT", "SR"],
            "series_count": 1,
            "slice_count": 5,
            "series_without_pictures": 1,
            "verdict": "volume",
            "series_instance_uid": uid("ct"),
            "patient": {
                "name": "Doe, John",
                "reason": None,
                "patient_id": "TEST-1",
                "birth_date": "1960-01-02",
                "sex": "M",
                "other_names": [],
                "other_patient_ids": [],
            },
        }

    def test_a_study_without_pictures_says_so(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write("report", image(Modality="SR", PixelData=None, Rows=None))
        index()
        (study,) = signed_in.get("/studies").json()["studies"]
        assert (study["series_count"], study["slice_count"], study["series_without_pictures"]) == (0, 0, 1)
        assert (study["verdict"], study["series_instance_uid"], study["thumbnail"]) == ("empty", None, None)

    def test_the_newest_comes_first(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        for name, date in (("a", "20200101"), ("b", "20240101"), ("c", ""), ("d", "20220101")):
            folder.write(name, image(series=name, StudyDate=date))
        index()
        assert study_uids(signed_in.get("/studies").json()) == [uid("study of", name) for name in "bdac"]

    @pytest.mark.parametrize(
        "query",
        [
            *("limit=0", "limit=x", "limit=1001", "offset=-1", "offset=99999999999", "patient=false"),
            *("sort=", "sort=name", "sort=--modality", "sort=modality,", "sort=modality;drop table series"),
            *("modality=C%25", "modality=", "&".join(["modality=CT"] * 21), "verdict=nice", "verdict="),
            *("study_date_from=20240101", "study_date_from=2024-02-30", "study_date_to="),
            "study_date_from=2024-01-02&study_date_to=2024-01-01",
            *("patient_id=", "patient_id=a%00b", f"query={'x' * 257}", "quary=x", "limit=1&limit=x"),
        ],
    )
    def test_malformed_parameters(self, signed_in: TestClient, query: str) -> None:
        answer = signed_in.get(f"/studies?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")

    def test_conditions_and_pages(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        for name, family, modality in (("a", "Müller", "CT"), ("b", "Muller", "MR"), ("c", "Meier", "CT")):
            values = {"PatientName": f"{family}^Anna", "SpecificCharacterSet": "ISO_IR 192"}
            folder.write_all(volume(2, series=name, Modality=modality, **values), prefix=name)
        index()
        asked = {"query": "mull", "sort": "patient_name"}
        whole = signed_in.get("/studies", params=asked).json()
        assert (study_uids(whole), whole["total"]) == ([uid("study of", name) for name in "ab"], 2)
        assert whole["totals"] == {"series": 2, "slices": 4}
        second = signed_in.get("/studies", params={**asked, "limit": 1, "offset": 1}).json()
        assert (study_uids(second), second["total"]) == ([uid("study of", "b")], 2)
        mr = signed_in.get("/studies?query=mull&modality=MR&modality=US").json()
        assert study_uids(mr) == [uid("study of", "b")]

    def test_several_verdicts(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write_all(volume(3, series="a"), prefix="a")
        folder.write("b", image(series="b"))
        folder.write("c", image(series="c", Modality="SR", PixelData=None, Rows=None))
        index()

        def found(query: str) -> set[str]:
            return set(study_uids(signed_in.get(f"/studies?{query}").json()))

        assert found("verdict=volume") == {uid("study of", "a")}
        assert found("verdict=volume&verdict=empty") == {uid("study of", "a"), uid("study of", "c")}
        assert found("verdict=cine") == set()

    def test_polling(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image(series="a"))
        index()
        etag = signed_in.get("/studies").headers["ETag"]
        again = signed_in.get("/studies", headers={"If-None-Match": etag})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
        folder.write("b", image(series="b"))
        index()
        changed = signed_in.get("/studies", headers={"If-None-Match": etag})
        assert (changed.status_code, changed.json()["total"]) == (200, 2)

    def test_each_listed_study_is_recorded(
        self, signed_in: TestClient, folder: Folder, index: Index, database: Database
    ) -> None:
        for name in "ab":
            folder.write(name, image(series=name))
        index()
        signed_in.get("/studies?limit=1&sort=patient_name")
        with database.reading() as session:
            found = session.scalars(select(AuditEvent).where(AuditEvent.kind == "studies")).all()
        seen = {(event.study_instance_uid, event.series_instance_uid) for event in found}
        first = min("ab", key=lambda name: uid("study of", name))
        assert seen == {(None, None), (uid("study of", first), uid(first))}


class TestDetail:
    def test_anonymous(self, client: TestClient) -> None:
        assert client.get("/studies/1.2").status_code == 401

    def test_an_unknown_study(self, signed_in: TestClient, index: Index) -> None:
        index()
        answer = signed_in.get("/studies/1.2.3")
        assert (answer.status_code, answer.json()["code"]) == (404, "study_not_found")

    def test_a_malformed_uid(self, signed_in: TestClient) -> None:
        answer = signed_in.get("/studies/1.2a")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")

    def test_series_are_sorted_by_number_then_time(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        def write(name: str, number: int | None, date: str | None = None, time: str | None = None) -> None:
            values = {"SeriesNumber": number, "SeriesDate": date, "SeriesTime": time}
            folder.write(name, image(series=name, study="s", **values))

        write("ten", 10)
        write("two late", 2, "20200101", "1200")
        write("two", 2, "20200101", "1000")
        write("none", None)
        write("minus", -1)
        index()
        series = signed_in.get(f"/studies/{uid('study of', 's')}").json()["series"]
        assert [one["series_instance_uid"] for one in series] == [
            uid(name) for name in ("minus", "two", "two late", "ten", "none")
        ]
        assert [one["series_number"] for one in series] == [-1, 2, 2, 10, None]
        assert series[1]["series_date"] == "2020-01-01"

    def test_series_without_pictures_are_told(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write("ct", image(series="ct", study="s", SeriesDescription="Thorax"))
        folder.write(
            "sr", image(series="sr", study="s", SeriesNumber=9, Modality="SR", PixelData=None, Rows=None)
        )
        index()
        first, second = signed_in.get(f"/studies/{uid('study of', 's')}").json()["series"]
        assert (first["description"], first["modality"], first["slice_count"]) == ("Thorax", "CT", 1)
        assert (first["has_pictures"], second["has_pictures"]) == (True, False)
        assert (second["modality"], second["slice_count"], second["thumbnail"]) == ("SR", 0, None)
        assert first["thumbnail"]

    def test_other_studies_of_the_patient(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        for name, date in (("a", "20200101"), ("b", "20240101"), ("c", "20260101"), ("d", "")):
            folder.write(name, image(series=name, StudyDate=date, PatientID="7", StudyDescription=name))
        folder.write("e", image(series="e", PatientID="8"))
        index()
        answer = signed_in.get(f"/studies/{uid('study of', 'b')}").json()
        told = [(one["description"], one["relation"]) for one in answer["other_studies"]]
        assert told == [("c", "later"), ("a", "prior"), ("d", "unknown")]
        assert answer["other_studies_complete"] is True
        assert answer["other_studies"][0]["modalities"] == ["CT"]

    def test_polling(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image(series="a"))
        index()
        address = f"/studies/{uid('study of', 'a')}"
        etag = signed_in.get(address).headers["ETag"]
        assert signed_in.get(address, headers={"If-None-Match": etag}).status_code == 304

    def test_the_record_names_every_study_that_was_told_of(
        self, signed_in: TestClient, folder: Folder, index: Index, database: Database
    ) -> None:
        for name in "ab":
            folder.write(name, image(series=name, PatientID="7"))
        index()
        signed_in.get(f"/studies/{uid('study of', 'a')}")
        with database.reading() as session:
            found = session.scalars(select(AuditEvent).where(AuditEvent.kind == "study")).all()
        assert {event.study_instance_uid for event in found} == {
            None,
            *(uid("study of", name) for name in "ab"),
        }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("081500", "08:15:00"),
        ("081500.123", "08:15:00"),
        ("0815", "08:15"),
        ("08", None),
        ("08:15:00", "08:15:00"),
        ("256000", None),
        ("", None),
        (None, None),
        ("ab1500", None),
    ],
)
def test_times_are_written_by_iso_8601(value: str | None, expected: str | None) -> None:
    # PS3.5 6.2: TM is HHMMSS.FFFFFF, from the right any part may be left out; ACR-NEMA wrote colons
    assert iso_time(value) == expected
