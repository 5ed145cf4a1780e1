"""The list of volumes and the description of one."""

import shutil
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from imageserver.archive.models import IndexState
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from imageserver.errors import DatabaseUnavailable
from tests.api.conftest import Index
from tests.builders import CORONAL, SAGITTAL, image, uid, volume
from tests.folders import Folder


def series_uids(answer: dict[str, Any]) -> list[str]:
    return [found["series_instance_uid"] for found in answer["volumes"]]


class TestList:
    def test_anonymous(self, client: TestClient) -> None:
        assert client.get("/volumes").status_code == 401

    def test_an_empty_folder(self, signed_in: TestClient, index: Index) -> None:
        index()
        answer = signed_in.get("/volumes")
        nothing = {"pending": 0, "remaining_seconds": None}
        empty = {"state": "ready", "seen": 0, "indexed": 0, "refused": 0, **nothing}
        assert (answer.status_code, answer.json()) == (200, {"volumes": [], "total": 0, "index": empty})
        assert answer.headers["Cache-Control"] == "no-store"

    def test_one_volume(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write_all(volume(5, SeriesDescription="Head", PatientName="Doe^John"))
        folder.write("junk", b"junk")
        index()
        answer = signed_in.get("/volumes").json()
        counts = {"seen": 6, "indexed": 5, "refused": 1, "pending": 0, "remaining_seconds": None}
        assert answer["index"] == {"state": "ready", **counts}
        assert answer["volumes"] == [
            {
                "series_instance_uid": uid("series"),
                "study_instance_uid": uid("study of", "series"),
                "modality": "CT",
                "description": "Head",
                "study_date": "2026-01-02",
                "slice_count": 5,
                "verdict": "volume",
                "is_default": True,
                "patient": {"name": "Doe, John", "patient_id": "TEST-1"},
            }
        ]

    def test_says_nothing_about_patients_on_request(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write("a", image(PatientName="Doe^John", PatientID="SECRET-1"))
        index()
        with_patient = signed_in.get("/volumes")
        without = signed_in.get("/volumes", params={"patient": False})
        detail = signed_in.get(f"/volumes/{uid('series')}", params={"patient": False})
        assert without.json()["volumes"][0]["patient"] is None
        assert detail.json()["patient"] is None
        assert all(word not in without.text + detail.text for word in ("Doe", "SECRET"))
        assert without.headers["ETag"] != with_patient.headers["ETag"]

    def test_the_order_is_that_of_the_default_rule(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        # docs/decisions/0016: a volume before any other verdict, segmentations and dose last; then the most
        # slices, the newest study, the UID.
        folder.write_all(volume(3, series="small"), prefix="small")
        folder.write_all(volume(5, series="old", StudyDate="20200101"), prefix="old")
        folder.write_all(volume(5, series="new", StudyDate="20250101"), prefix="new")
        folder.write_all(volume(9, series="dose", Modality="RTDOSE"), prefix="dose")
        without_place = [
            image(series="pictures", instance=n, ImagePositionPatient=None) for n in range(1, 12)
        ]
        folder.write_all(without_place, prefix="pictures")
        index()
        expected = [uid(name) for name in ("new", "old", "small", "pictures", "dose")]
        assert series_uids(signed_in.get("/volumes").json()) == expected

    def test_pages(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        for number in range(5):
            folder.write(f"{number}", image(series=number))
        index()
        whole = series_uids(signed_in.get("/volumes").json())
        first, second, third = (
            signed_in.get("/volumes", params={"limit": 2, "offset": o}).json() for o in (0, 2, 4)
        )
        assert series_uids(first) + series_uids(second) + series_uids(third) == whole
        assert {first["total"], second["total"], third["total"]} == {5}
        assert [found["is_default"] for found in second["volumes"]] == [False, False]

    @pytest.mark.parametrize(
        "query",
        [
            *("limit=0", "limit=-1", "limit=x", "limit=1e9", "limit=1001", "offset=-1", "offset=99999999999"),
            *("sort=", "sort=name", "sort=--modality", "sort=modality,", "sort=modality;drop table series"),
            *("modality=C%25", "modality=", "modality=AN_ENDLESS_MODALITY", "&".join(["modality=CT"] * 21)),
            *("study_date_from=20240101", "study_date_from=2024-02-30", "study_date_to=0", "study_date_to="),
            "study_date_from=2024-01-02&study_date_to=2024-01-01",
            *("patient_id=", "patient_id=a%00b", "accession_number=%0A", "study_instance_uid=1.2a"),
            *(f"query={'x' * 257}", "quary=x", "limit=1&limit=x"),
        ],
    )
    def test_malformed_parameters(self, signed_in: TestClient, query: str) -> None:
        answer = signed_in.get(f"/volumes?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")

    def test_conditions_and_order(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        for name, family in (("a", "Müller"), ("b", "Muller"), ("c", "Meier")):
            modality = "MR" if name == "b" else "CT"
            values = {
                "PatientName": f"{family}^Anna",
                "SpecificCharacterSet": "ISO_IR 192",
                "Modality": modality,
            }
            folder.write(name, image(series=name, **values))
        index()

        def ask(**parameters: str | list[str]) -> tuple[list[str], int]:
            answer = signed_in.get("/volumes", params=parameters).json()
            return series_uids(answer), answer["total"]

        assert ask(query="anna mul", sort="-modality") == ([uid("b"), uid("a")], 2)
        assert ask(query="MÜLL", modality="CT") == ([uid("a")], 1)
        assert ask(sort="patient_name", limit="1") == ([uid("c")], 3)
        assert ask(modality=["CT", "MR"], study_date_from="2026-01-02", patient_id="TEST-1")[1] == 3
        assert ask(study_date_to="2026-01-01") == ([], 0)
        assert ask(study_instance_uid=uid("study of", "c")) == ([uid("c")], 1)

    def test_each_question_has_its_own_tag(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image())
        index()
        questions: list[dict[str, str]] = [{}, {"sort": "modality"}, {"query": "doe"}, {"modality": "CT"}]
        tags = {signed_in.get("/volumes", params=question).headers["ETag"] for question in questions}
        assert len(tags) == len(questions)

    def test_a_page_records_each_series_that_it_names(
        self, signed_in: TestClient, folder: Folder, index: Index, database: Database
    ) -> None:
        for name in "abc":
            folder.write(name, image(series=name))
        index()

        def recorded() -> list[tuple[str | None, str | None]]:
            columns = (AuditEvent.study_instance_uid, AuditEvent.series_instance_uid)
            with database.reading() as session:
                rows = session.execute(select(*columns).where(AuditEvent.kind == "volumes"))
                return sorted((tuple(row) for row in rows), key=str)

        signed_in.get("/volumes", params={"patient": False})
        assert recorded() == [(None, None)]
        page = signed_in.get("/volumes", params={"limit": 2}).json()["volumes"]
        named = [(found["study_instance_uid"], found["series_instance_uid"]) for found in page]
        assert recorded() == sorted([(None, None), *named], key=str)
        for _ in range(2):
            signed_in.get("/volumes")
        assert len(recorded()) == 4

    def test_nothing_is_listed_that_could_not_be_recorded(
        self,
        app: FastAPI,
        signed_in: TestClient,
        folder: Folder,
        index: Index,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        folder.write("a", image(PatientName="Doe^John"))
        index()

        def fail(*_: object) -> None:
            raise DatabaseUnavailable("The database does not answer.")

        monkeypatch.setattr(app.state.access_recorder, "record_all", fail)
        answer = signed_in.get("/volumes")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert "Doe" not in answer.text

    def test_progress_while_files_are_read(
        self, app: FastAPI, signed_in: TestClient, index: Index, database: Database
    ) -> None:
        index()
        with database.writing() as session:
            progress = {"state": "building", "pending": 70, "remaining_seconds": 6.2}
            session.execute(update(IndexState).values(generation=IndexState.generation + 1, **progress))
        app.state.archive.catalogue.forget()
        answer = signed_in.get("/volumes").json()["index"]
        assert (answer["state"], answer["pending"], answer["remaining_seconds"]) == ("building", 70, 7)

    def test_json_is_compressed(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        for number in range(5):
            folder.write(f"{number}", image(series=number))
        index()
        answer = signed_in.get("/volumes", headers={"Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"

    def test_polling_costs_no_body_until_something_changes(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write_all(volume(2))
        index()
        etag = signed_in.get("/volumes").headers["ETag"]
        again = signed_in.get("/volumes", headers={"If-None-Match": etag})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
        folder.write("another", image(series="another"))
        index()
        assert signed_in.get("/volumes", headers={"If-None-Match": etag}).json()["total"] == 2

    def test_series_without_pictures_are_no_volumes(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write("report", image(Modality="SR", PixelData=None, Rows=None))
        index()
        assert signed_in.get("/volumes").json()["total"] == 0

    def test_a_vanished_folder_keeps_the_list_and_says_so(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write_all(volume(2))
        index()
        shutil.rmtree(folder.path)
        index()
        answer = signed_in.get("/volumes").json()
        assert (answer["index"]["state"], answer["total"]) == ("unavailable", 1)

    def test_text_from_files_stays_text(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image(PatientName="<b onclick>Doe</b>", SeriesDescription="</script>"))
        index()
        answer = signed_in.get("/volumes")
        assert answer.json()["volumes"][0]["patient"]["name"] == "<b onclick>Doe</b>"
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


class TestOne:
    def test_anonymous(self, client: TestClient) -> None:
        assert client.get(f"/volumes/{uid('series')}").status_code == 401

    @pytest.mark.parametrize("uid", ["1.2.840.0113.1", "1..2", "1.2."])
    def test_a_uid_with_small_faults_is_an_address(
        self, signed_in: TestClient, folder: Folder, index: Index, uid: str
    ) -> None:
        folder.write_all(volume(2, SeriesInstanceUID=uid))
        index()
        assert signed_in.get(f"/volumes/{uid}").json()["series_instance_uid"] == uid

    def test_unknown(self, signed_in: TestClient) -> None:
        answer = signed_in.get("/volumes/1.2.3")
        assert (answer.status_code, answer.json()["code"]) == (404, "series_not_found")

    @pytest.mark.parametrize("text", ["abc", "1.2a", "...", "1." * 40, "%00", "1.2%20", "1.2%0A"])
    def test_malformed(self, signed_in: TestClient, text: str) -> None:
        answer = signed_in.get(f"/volumes/{text}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")

    @pytest.mark.parametrize("text", ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "/etc/passwd", "%2e%2e"])
    def test_no_path_reaches_the_files(self, signed_in: TestClient, text: str) -> None:
        assert signed_in.get(f"/volumes/{text}").status_code in (404, 422)

    def test_a_volume(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        slices = volume(6, spacing=2.5, WindowCenter=40, WindowWidth=400)
        folder.write_all(reversed(slices))
        index()
        answer = signed_in.get(f"/volumes/{uid('series')}").json()
        middle = {
            "stack": 0,
            "index": 3,
            "count": 6,
            "sop_instance_uid": slices[3].SOPInstanceUID,
            "frame_number": 1,
            "position_mm": -2.5,
        }
        assert (answer["verdict"], answer["ordering"], answer["middle"]) == ("volume", "position", middle)
        (stack,) = answer["stacks"]
        assert stack["orientation_labels"] == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
        assert (stack["rows"], stack["columns"], stack["slice_spacing_mm"]) == (8, 8, 2.5)
        assert (answer["excluded"], answer["warnings"]) == ([], [])
        assert "ordered by position" in answer["explanation"]

    def test_a_localizer_names_the_middle_of_each_group(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write_all(volume(3, orientation=SAGITTAL), prefix="sagittal")
        folder.write("coronal", image(instance=4, ImageOrientationPatient=list(CORONAL)))
        folder.write("axial", image(instance=5))
        index()
        answer = signed_in.get(f"/volumes/{uid('series')}").json()
        assert (answer["verdict"], answer["middle"]["stack"]) == ("localizer", None)
        assert (answer["middle"]["index"], answer["middle"]["count"]) == (2, 5)
        assert sorted(stack["middle"]["count"] for stack in answer["stacks"]) == [1, 1, 3]

    def test_warnings_name_the_instances(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        slices = volume(6)
        del slices[2]
        folder.write_all(slices)
        index()
        warnings = signed_in.get(f"/volumes/{uid('series')}").json()["warnings"]
        (gap,) = [warning for warning in warnings if "gap" in warning["code"]]
        assert set(gap["sop_instance_uids"]) <= {dataset.SOPInstanceUID for dataset in slices}
        assert gap["message"]
        assert gap["numbers"]["missing_slices"] == 1

    def test_disagreeing_names_are_among_the_warnings(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write_all([*volume(2), image(instance=3, PatientName="Roe^Richard")])
        index()
        answer = signed_in.get(f"/volumes/{uid('series')}").json()
        assert "patient_names_differ" in [warning["code"] for warning in answer["warnings"]]

    def test_a_volume_that_may_still_grow_says_so(
        self, app: FastAPI, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write_all(volume(3))
        index()
        folder.write(
            "being copied", image(instance=9), age=-3600
        )  # a clock in the future: it has to stand still
        app.state.archive.keeper.indexer.settling.seconds = 600.0
        index()
        answer = signed_in.get(f"/volumes/{uid('series')}").json()
        assert "index_building" in [warning["code"] for warning in answer["warnings"]]
        assert answer["slice_count"] == 3
