"""The report of files that are not shown."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.api.conftest import Index
from tests.builders import volume
from tests.conftest import PASSWORD, AddUser
from tests.folders import Folder

NAME = "Doe^John report.txt"


@pytest.fixture
def reader(app: FastAPI, signed_in: TestClient, add_user: AddUser) -> TestClient:
    """A client of somebody who does not administrate; the first account, that of `signed_in`, does."""
    add_user("bob")
    other = TestClient(app, base_url="http://localhost:8000")
    token = other.post("/auth/token", data={"username": "bob", "password": PASSWORD}).json()["access_token"]
    other.cookies.clear()
    other.headers["Authorization"] = f"Bearer {token}"
    return other


@pytest.fixture(autouse=True)
def _junk(signed_in: TestClient, folder: Folder, index: Index) -> None:
    folder.write_all(volume(2))
    folder.write(NAME, b"junk")
    folder.write("über", b"")
    index()


def test_anonymous(client: TestClient) -> None:
    assert client.get("/index/problems").status_code == 401


def test_an_administrator_sees_which_files(signed_in: TestClient, folder: Folder) -> None:
    answer = signed_in.get("/index/problems")
    body = answer.json()
    assert (answer.status_code, body["total"], body["index"]["refused"]) == (200, 2, 2)
    first, second = body["problems"]
    assert (first["path"], first["code"], first["size"]) == (NAME, "not_dicom", 4)
    assert (second["path"], second["code"], second["reason"]) == ("über", "empty", "The file is empty.")
    assert first["modified"].endswith("+00:00")
    assert first["read_at"] >= first["modified"]
    assert body["counts"] == [
        {"code": "empty", "meaning": "The file is empty, or holds no data set.", "count": 1},
        {"code": "not_dicom", "meaning": "The file is not DICOM.", "count": 1},
    ]
    assert answer.headers["Cache-Control"] == "no-store"


def test_others_see_how_many_and_why(reader: TestClient) -> None:
    answer = reader.get("/index/problems")
    assert [(found["path"], found["code"]) for found in answer.json()["problems"]] == [
        (None, "not_dicom"),
        (None, "empty"),
    ]
    assert "Doe" not in answer.text


def test_conditions_and_pages(signed_in: TestClient) -> None:
    def paths(query: str) -> tuple[list[str], int]:
        body = signed_in.get(f"/index/problems?{query}").json()
        return [found["path"] for found in body["problems"]], body["total"]

    assert paths("code=empty") == (["über"], 1)
    assert paths("code=empty&code=not_dicom&sort=-path&limit=1") == (["über"], 2)
    assert paths("offset=1") == (["über"], 2)
    assert paths("code=too_deep") == ([], 0)


@pytest.mark.parametrize("query", ["sort=state", "code=A", "limit=0", "offset=-1", "path=x", "code="])
def test_nonsense(signed_in: TestClient, query: str) -> None:
    answer = signed_in.get(f"/index/problems?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")


def test_polling_costs_no_body_until_something_changes(
    signed_in: TestClient, reader: TestClient, folder: Folder, index: Index
) -> None:
    etag = signed_in.get("/index/problems").headers["ETag"]
    assert signed_in.get("/index/problems", headers={"If-None-Match": etag}).status_code == 304
    assert reader.get("/index/problems", headers={"If-None-Match": etag}).status_code == 200
    (folder.path / "über").unlink()
    index()
    assert signed_in.get("/index/problems", headers={"If-None-Match": etag}).json()["total"] == 1


def test_reading_it_is_recorded(signed_in: TestClient, database: Database) -> None:
    signed_in.get("/index/problems")
    with database.reading() as session:
        assert session.scalar(select(AuditEvent.username).where(AuditEvent.kind == "file_problems")) == "ada"


def test_no_path_reaches_the_log(
    signed_in: TestClient, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    signed_in.get("/index/problems")
    captured = capfd.readouterr()
    assert "Doe" not in caplog.text + captured.out + captured.err
