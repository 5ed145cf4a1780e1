"""The patient's name, read on the server."""

import shutil

import pytest
from fastapi.testclient import TestClient

from imageserver.database import Database
from tests.api.conftest import Index
from tests.builders import image, uid, volume, with_bytes
from tests.folders import Folder


def test_anonymous(client: TestClient) -> None:
    answer = client.get("/patient")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_an_empty_folder(signed_in: TestClient, index: Index) -> None:
    index()
    answer = signed_in.get("/patient")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_volume")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("kind", ["missing", "a file"])
def test_a_folder_that_is_not_there(signed_in: TestClient, folder: Folder, index: Index, kind: str) -> None:
    folder.path.rmdir()
    if kind == "a file":
        folder.path.write_bytes(b"")
    index()
    answer = signed_in.get("/patient")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_volume")
    assert str(folder.path) not in answer.text


def test_unknown_series(signed_in: TestClient, folder: Folder, index: Index) -> None:
    folder.write("a", image())
    index()
    answer = signed_in.get("/patient?series=1.2.3")
    assert (answer.status_code, answer.json()["code"]) == (404, "series_not_found")


@pytest.mark.parametrize("series", ["", "x", "1.0x", "../../etc/passwd", "1" * 65, "1.2%00", "%2e%2e"])
def test_malformed_series(signed_in: TestClient, series: str) -> None:
    answer = signed_in.get(f"/patient?series={series}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert answer.json()["errors"][0]["pointer"] == "/query/series"


@pytest.mark.parametrize(
    ("terms", "codec", "code"),
    [
        (b"ISO_IR 100", "utf-8", "wrong_character_set"),
        (b"", "utf-8", "undeclared_character_set"),
        (b"ISO-8859-1", "latin-1", "unknown_character_set"),
    ],
)
def test_a_name_in_another_character_set_than_declared(
    signed_in: TestClient, folder: Folder, index: Index, terms: bytes, codec: str, code: str
) -> None:
    dataset = with_bytes(image(), "PatientName", "Müller^Jörg".encode(codec))
    with_bytes(dataset, "SeriesDescription", "Schädel".encode(codec))
    folder.write("a", with_bytes(dataset, "SpecificCharacterSet", terms))
    index()
    answer = signed_in.get("/patient").json()
    assert answer["name"] == "Müller, Jörg"
    assert [warning["code"] for warning in answer["warnings"]] == [code]
    detail = signed_in.get(f"/volumes/{uid('series')}").json()
    assert detail["description"] == "Schädel"
    assert {"code": code, "sop_instance_uids": [uid("series", 1)]}.items() <= detail["warnings"][0].items()


def test_the_name_with_its_groups_and_components(signed_in: TestClient, folder: Folder, index: Index) -> None:
    # PS3.5 H.3.1, example 1; the display form is "Family, Prefix Given Middle, Suffix".
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    folder.write_all(
        volume(
            3,
            PatientName=name,
            SpecificCharacterSet="ISO_IR 192",
            PatientBirthDate="19800229",
            PatientSex="M",
        )
    )
    index()
    answer = signed_in.get("/patient")
    found = answer.json()
    assert (found["name"], found["reason"], found["raw"]) == ("Yamada, Tarou", None, name)
    assert found["name_components"]["ideographic"]["family"] == "山田"
    assert found["name_components"]["phonetic"]["given"] == "たろう"
    assert (found["patient_id"], found["birth_date"], found["sex"]) == ("TEST-1", "1980-02-29", "M")
    assert (found["series_instance_uid"], found["other_names"], found["warnings"]) == (uid("series"), [], [])
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("value", "reason"), [(None, "absent"), ("", "empty"), ("Anonymous", "anonymous")])
def test_no_name_has_a_reason(
    signed_in: TestClient, folder: Folder, index: Index, value: str | None, reason: str
) -> None:
    folder.write("a", image(PatientName=value))
    index()
    found = signed_in.get("/patient").json()
    assert (found["name"], found["reason"]) == (None, reason)


def test_names_that_disagree_are_all_told(signed_in: TestClient, folder: Folder, index: Index) -> None:
    folder.write_all([*volume(3), image(instance=9, PatientName="Roe^Richard")])
    index()
    found = signed_in.get("/patient").json()
    assert (found["name"], found["other_names"]) == ("Doe, Jane", [{"name": "Roe, Richard", "count": 1}])
    assert [warning["code"] for warning in found["warnings"]] == ["patient_names_differ"]


def test_another_series(signed_in: TestClient, folder: Folder, index: Index) -> None:
    folder.write_all(volume(3))
    folder.write("other", image(series="other", PatientName="Roe^Richard"))
    index()
    assert signed_in.get("/patient").json()["name"] == "Doe, Jane"
    assert signed_in.get("/patient", params={"series": uid("other")}).json()["name"] == "Roe, Richard"


def test_without_pictures_the_newest_series_answers_with_a_warning(
    signed_in: TestClient, folder: Folder, index: Index
) -> None:
    report = {"Modality": "SR", "PixelData": None, "Rows": None, "Columns": None}
    folder.write("old", image(series="old", StudyDate="20200101", PatientName="Old", **report))
    folder.write("new", image(series="new", StudyDate="20250101", PatientName="New", **report))
    index()
    found = signed_in.get("/patient").json()
    assert (found["name"], found["series_instance_uid"]) == ("New", uid("new"))
    assert [warning["code"] for warning in found["warnings"]] == ["no_pixels"]


def test_a_vanished_folder(signed_in: TestClient, folder: Folder, index: Index) -> None:
    folder.write_all(volume(2))
    index()
    shutil.rmtree(folder.path)
    index()
    answer = signed_in.get("/patient")
    assert (answer.status_code, answer.json()["code"]) == (503, "data_directory_unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_changed_name_is_answered_after_the_file_changed(
    signed_in: TestClient, folder: Folder, index: Index
) -> None:
    folder.write("a", image(PatientName="Old"))
    index()
    assert signed_in.get("/patient").json()["name"] == "Old"
    folder.write("a", image(PatientName="New one"), age=60)
    index()
    assert signed_in.get("/patient").json()["name"] == "New one"


def test_head(signed_in: TestClient, folder: Folder, index: Index) -> None:
    folder.write("a", image())
    index()
    answer = signed_in.head("/patient")
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_access_is_recorded_before_the_answer(
    signed_in: TestClient, folder: Folder, index: Index, database: Database
) -> None:
    from sqlalchemy import select

    from imageserver.audit.models import AuditEvent

    folder.write("a", image())
    index()
    signed_in.get("/patient")
    with database.reading() as session:
        events = list(session.scalars(select(AuditEvent).where(AuditEvent.kind == "patient")))
    assert [(event.username, event.series_instance_uid) for event in events] == [("ada", uid("series"))]
