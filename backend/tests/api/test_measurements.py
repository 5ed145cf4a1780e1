"""``/measurements``: each user's own, optimistic versions, audited, kept while files are away."""

import csv
import io
import json
import uuid
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.api.conftest import Index
from tests.builders import image, uid, volume
from tests.conftest import PASSWORD, AddUser
from tests.folders import Folder

STUDY, SERIES = uid("study of", "ct"), uid("ct")
ID = "11111111-2222-4333-8444-555555555555"
NEW = {"If-None-Match": "*"}


@pytest.fixture(autouse=True)
def _series(folder: Folder, client: TestClient, index: Index) -> None:
    folder.write_all(volume(series="ct", count=2))
    index()


def length(**changes: Any) -> dict[str, Any]:
    content = {
        "kind": "length",
        "label": "lesion",
        "study_instance_uid": STUDY,
        "series_instance_uid": SERIES,
        "sop_instance_uid": uid("ct", 1),
        "frame_number": 1,
        "points": [[1.5, 2.0], [4.5, 6.0]],
        "values": {"length_mm": 5.0, "calibration": "patient"},
    }
    return {**content, **changes}


def put(
    client: TestClient, content: dict[str, Any], headers: dict[str, str] | None = None, id: str = ID
) -> httpx.Response:
    headers = {"Content-Type": "application/json", **(NEW if headers is None else headers)}
    return client.put(f"/measurements/{id}", content=json.dumps(content), headers=headers)


def of_series(client: TestClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/measurements", params={"series": SERIES}).json()[
        "measurements"
    ]
    return found


@pytest.fixture
def other(app: FastAPI, client: TestClient, add_user: AddUser) -> TestClient:
    """Another user's client."""
    add_user("bert")
    other = TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False)
    answer = other.post("/auth/token", data={"username": "bert", "password": PASSWORD})
    other.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return other


class TestSave:
    def test_a_new_one(self, signed_in: TestClient) -> None:
        answer = put(signed_in, length())
        body = answer.json()
        assert answer.status_code == 201
        assert answer.headers["ETag"] == f'"{body["version"]}"'
        assert answer.headers["Cache-Control"] == "no-store"
        assert {**length(), "plane": "acquired"}.items() <= body.items()
        assert (body["id"], body["created"]) == (ID, body["updated"])
        assert of_series(signed_in) == [body]
        assert signed_in.get(f"/measurements/{ID}").json() == body

    def test_the_same_again(self, signed_in: TestClient) -> None:
        first = put(signed_in, length())
        second = put(signed_in, length())
        assert (second.status_code, second.json()) == (200, first.json())

    def test_a_change(self, signed_in: TestClient) -> None:
        etag = put(signed_in, length()).headers["ETag"]
        answer = put(signed_in, length(label="tumour"), {"If-Match": etag})
        assert (answer.status_code, answer.json()["label"]) == (200, "tumour")
        assert answer.headers["ETag"] != etag

    def test_an_older_version_is_told_the_present_one(self, signed_in: TestClient) -> None:
        etag = put(signed_in, length()).headers["ETag"]
        put(signed_in, length(label="of the first tab"), {"If-Match": etag})
        answer = put(signed_in, length(label="of the second tab"), {"If-Match": etag})
        body = answer.json()
        assert (answer.status_code, body["code"]) == (412, "measurement_changed")
        assert body["measurement"]["label"] == "of the first tab"

    def test_one_that_another_tab_deleted(self, signed_in: TestClient) -> None:
        etag = put(signed_in, length()).headers["ETag"]
        signed_in.delete(f"/measurements/{ID}", headers={"If-Match": etag})
        answer = put(signed_in, length(label="x"), {"If-Match": etag})
        assert (answer.status_code, answer.json()["measurement"]) == (412, None)

    @pytest.mark.parametrize("headers", [{}, {"If-Match": '"x"', "If-None-Match": "*"}])
    def test_without_a_precondition(self, signed_in: TestClient, headers: dict[str, str]) -> None:
        answer = put(signed_in, length(), headers)
        assert (answer.status_code, answer.json()["code"]) == (428, "precondition_required")

    @pytest.mark.parametrize(
        "headers",
        [{"If-Match": "x"}, {"If-Match": 'W/"x"'}, {"If-Match": '"a", "b"'}, {"If-None-Match": '"x"'}],
    )
    def test_a_malformed_precondition(self, signed_in: TestClient, headers: dict[str, str]) -> None:
        assert put(signed_in, length(), headers).status_code == 422

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"study_instance_uid": "1.2.3"}, "study_not_found"),
            ({"series_instance_uid": "1.2.3"}, "series_not_found"),
            ({"sop_instance_uid": "1.2.3"}, "instance_not_found"),
            ({"frame_number": 2}, "slice_not_found"),
        ],
    )
    def test_on_an_image_that_does_not_exist(
        self, signed_in: TestClient, changes: dict[str, Any], code: str
    ) -> None:
        answer = put(signed_in, length(**changes))
        assert (answer.status_code, answer.json()["code"]) == (404, code)
        assert of_series(signed_in) == []

    def test_a_series_of_another_study(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("elsewhere", image(series="elsewhere"))
        index()
        answer = put(signed_in, length(study_instance_uid=uid("study of", "elsewhere")))
        assert (answer.status_code, answer.json()["code"]) == (404, "series_not_found")

    @pytest.mark.parametrize(
        "changes",
        [
            {"kind": "volume"},
            {"kind": "angle"},
            {"points": [[1, 2]]},
            {"points": [[1, 2], [3]]},
            {"points": [[1, 2], [3, "4"]]},
            {"points": [[1, 2], [3, True]]},
            {"points": [[1, 2], [3, 1e9]]},
            {"points": [[1, 2], [3, 10**400]]},
            {"points": [[1, 2], [3, None]]},
            {"points": "here"},
            {"frame_number": 0},
            {"frame_number": "1"},
            {"frame_number": 2**40},
            {"label": "x" * 301},
            {"label": "a\0b"},
            {"label": "\ud800"},
            {"label": None},
            {"values": {"mean": 1}},
            {"values": {"length_mm": "5"}},
            {"values": {"volume_ml": 5}},
            {"values": {"calibration": "guessed"}},
            {"plane": "oblique"},
            {"sop_instance_uid": "../x"},
            {"user_id": "x"},
        ],
    )
    def test_malformed(self, signed_in: TestClient, changes: dict[str, Any]) -> None:
        answer = put(signed_in, length(**changes))
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
    def test_numbers_that_are_none(self, signed_in: TestClient, number: str) -> None:
        body = json.dumps(length()).replace("1.5", number)
        headers = {**NEW, "Content-Type": "application/json"}
        answer = signed_in.put(f"/measurements/{ID}", content=body, headers=headers)
        assert answer.status_code == 422
        assert number not in answer.text

    @pytest.mark.parametrize("id", ["x", "1", ID.upper().replace("1", "A"), f"{{{ID}}}", f"urn:uuid:{ID}"])
    def test_an_identifier_that_is_no_uuid(self, signed_in: TestClient, id: str) -> None:
        assert put(signed_in, length(), id=id).status_code == 422

    def test_on_a_cut_plane(self, signed_in: TestClient) -> None:
        points = [[1.0, 2.0, 3.0], [1.0, 2.0, 8.0]]
        answer = put(signed_in, length(plane="coronal", points=points))
        assert (answer.status_code, answer.json()["points"]) == (201, points)

    @pytest.mark.parametrize("label", ["病変 آفة", "<img src=x>", "👩🏽‍⚕️"])
    def test_labels_come_back_as_they_went(self, signed_in: TestClient, label: str) -> None:
        put(signed_in, length(label=label))
        assert of_series(signed_in)[0]["label"] == label


class TestFind:
    def test_of_a_study_or_of_a_series(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("second", image(series="second", study="ct"))
        index()
        put(signed_in, length())
        second = length(series_instance_uid=uid("second"), sop_instance_uid=uid("second", 1))
        assert put(signed_in, second, id=str(uuid.uuid4())).status_code == 201
        study = signed_in.get("/measurements", params={"study": STUDY}).json()["measurements"]
        assert [len(study), len(of_series(signed_in))] == [2, 1]

    @pytest.mark.parametrize("query", [{}, {"study": STUDY, "series": SERIES}, {"series": "x"}])
    def test_neither_or_both(self, signed_in: TestClient, query: dict[str, str]) -> None:
        for path in ("/measurements", "/measurements.csv"):
            assert signed_in.get(path, params=query).status_code == 422

    def test_polling(self, signed_in: TestClient) -> None:
        query = {"series": SERIES}
        etag = signed_in.get("/measurements", params=query).headers["ETag"]
        known = {"If-None-Match": etag}
        assert signed_in.get("/measurements", params=query, headers=known).status_code == 304
        put(signed_in, length())
        assert signed_in.get("/measurements", params=query, headers=known).status_code == 200

    def test_while_the_files_are_away(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        etag = put(signed_in, length()).headers["ETag"]
        folder.write("stays", image(series="stays"))
        for path in folder.path.glob("slice*"):
            path.unlink()
        index()
        assert signed_in.get(f"/volumes/{SERIES}").status_code == 404
        assert len(of_series(signed_in)) == 1
        assert put(signed_in, length(label="x"), {"If-Match": etag}).status_code == 200

    def test_an_unknown_one(self, signed_in: TestClient) -> None:
        answer = signed_in.get(f"/measurements/{ID}")
        assert (answer.status_code, answer.json()["code"]) == (404, "measurement_not_found")


class TestDelete:
    def test_it_is_gone(self, signed_in: TestClient) -> None:
        etag = put(signed_in, length()).headers["ETag"]
        for _ in range(2):  # a request that came twice
            assert signed_in.delete(f"/measurements/{ID}", headers={"If-Match": etag}).status_code == 204
        assert of_series(signed_in) == []

    def test_undo(self, signed_in: TestClient) -> None:
        first = put(signed_in, length())
        signed_in.delete(f"/measurements/{ID}", headers={"If-Match": first.headers["ETag"]})
        again = put(signed_in, length())
        assert (again.status_code, again.json()["version"]) == (201, first.json()["version"])

    def test_one_that_changed(self, signed_in: TestClient) -> None:
        etag = put(signed_in, length()).headers["ETag"]
        put(signed_in, length(label="x"), {"If-Match": etag})
        answer = signed_in.delete(f"/measurements/{ID}", headers={"If-Match": etag})
        assert (answer.status_code, answer.json()["measurement"]["label"]) == (412, "x")

    def test_without_a_precondition(self, signed_in: TestClient) -> None:
        put(signed_in, length())
        assert signed_in.delete(f"/measurements/{ID}").status_code == 428
        assert len(of_series(signed_in)) == 1


class TestOtherUsers:
    def test_they_see_nothing(self, signed_in: TestClient, other: TestClient) -> None:
        put(signed_in, length())
        assert of_series(other) == []
        assert other.get(f"/measurements/{ID}").status_code == 404
        csv_text = other.get("/measurements.csv", params={"series": SERIES}).text
        assert len(csv_text.splitlines()) == 1

    def test_they_change_nothing(self, signed_in: TestClient, other: TestClient) -> None:
        etag = put(signed_in, length()).headers["ETag"]
        answer = put(other, length(label="x"), {"If-Match": etag})
        assert (answer.status_code, answer.json()["measurement"]) == (412, None)
        assert other.delete(f"/measurements/{ID}", headers={"If-Match": etag}).status_code == 204
        assert put(other, length(label="of bert")).status_code == 201
        assert [one["label"] for one in of_series(signed_in)] == ["lesion"]
        assert [one["label"] for one in of_series(other)] == ["of bert"]


class TestCsv:
    def test_a_table(self, signed_in: TestClient) -> None:
        put(signed_in, length(label="=1+1"))
        answer = signed_in.get("/measurements.csv", params={"study": STUDY})
        assert answer.headers["Content-Type"].startswith("text/csv; charset=utf-8")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="measurements.csv"'
        assert answer.content.startswith(b"\xef\xbb\xbf")
        (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
        assert (row["label"], row["length (mm)"], row["Series Instance UID"]) == ("'=1+1", "5.0", SERIES)
        assert "Doe" not in answer.text


class TestAudit:
    def kinds(self, database: Database) -> list[tuple[str, str | None, str | None]]:
        with database.reading() as session:
            events = session.scalars(select(AuditEvent).order_by(AuditEvent.id))
            seen = [(event.kind, event.study_instance_uid, event.series_instance_uid) for event in events]
        return [event for event in seen if event[0].startswith("measurement")]

    def test_each_change_and_each_reading(self, signed_in: TestClient, database: Database) -> None:
        etag = put(signed_in, length()).headers["ETag"]
        put(signed_in, length())  # changes nothing
        of_series(signed_in)
        signed_in.get("/measurements.csv", params={"study": STUDY})
        signed_in.delete(f"/measurements/{ID}", headers={"If-Match": etag})
        assert self.kinds(database) == [
            ("measurement_saved", STUDY, SERIES),
            ("measurements", None, SERIES),
            ("measurements_exported", STUDY, None),
            ("measurement_deleted", STUDY, SERIES),
        ]

    def test_what_was_refused_or_empty_leaves_none(self, signed_in: TestClient, database: Database) -> None:
        put(signed_in, length(study_instance_uid="1.2.3"))
        of_series(signed_in)
        signed_in.delete(f"/measurements/{ID}", headers={"If-Match": "*"})
        assert self.kinds(database) == []
