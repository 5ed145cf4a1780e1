"""Bad input and failing parts around the archive: a clear answer with its code, and the rest keeps working."""

import logging
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import event

from imageserver.accounts.tokens import issue_access_token
from imageserver.clock import utc_now
from imageserver.database import Database
from imageserver.main import create_app
from imageserver.settings import Settings
from tests.api.conftest import Index
from tests.builders import image, to_bytes, uid, volume
from tests.folders import Folder

CALLS = ["/volumes", "/patient", "/slice"]


def with_token(app: FastAPI, client: TestClient) -> TestClient:
    """Send a token that is well signed; only the database could say whether its session goes on."""
    now = utc_now()
    token, _ = issue_access_token(app.state.signing_keys, "user", "session", now + timedelta(hours=1), now)
    client.headers["Authorization"] = f"Bearer {token}"
    return client


class TestDatabaseAway:
    @pytest.fixture
    def client(self, tmp_path: Path) -> Iterator[TestClient]:
        address = "postgresql+psycopg://nobody@127.0.0.1:1/none"
        app = create_app(Settings(data_dir=tmp_path, state_dir=tmp_path / "state", database_url=address))
        with TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False) as client:
            yield with_token(app, client)

    @pytest.mark.parametrize("path", [*CALLS, "/volumes/1.2.3"])
    def test_it_is_said_and_nobody_is_logged_out(self, client: TestClient, path: str) -> None:
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert answer.headers["Retry-After"]
        assert answer.json()["request_id"]

    def test_the_log_has_the_code_and_the_cause(
        self, client: TestClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        client.get("/patient")
        (record,) = [record for record in caplog.records if record.name == "imageserver.api.problems"]
        assert record.__dict__["code"] == "database_unavailable"
        assert "127.0.0.1" in record.__dict__["cause"]
        assert "\n" not in record.__dict__["cause"]

    def test_readiness_tells_the_folder_all_the_same(self, client: TestClient) -> None:
        answer = client.get("/readyz")
        body = answer.json()
        assert (answer.status_code, body["index"], body["data_directory"]) == (503, "unknown", "ok")


class TestDiskFull:
    @pytest.fixture
    def full(self, app: FastAPI, database: Database) -> Iterator[None]:
        """Give the embedded database no page more than it has."""
        if not database.is_sqlite:
            pytest.skip("only the embedded database can be told how large it may grow")
        engine = app.state.database.engine

        def limit(connection: object, _record: object) -> None:
            connection.execute("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]

        event.listen(engine, "connect", limit)
        engine.dispose()
        yield
        event.remove(engine, "connect", limit)

    def test_nothing_is_answered_that_cannot_be_recorded(
        self, signed_in: TestClient, folder: Folder, index: Index, request: pytest.FixtureRequest
    ) -> None:
        for number in range(60):  # so many records that the database would have to grow
            folder.write(f"{number}", image(series=number))
        index()
        request.getfixturevalue("full")
        answers = [signed_in.get("/patient", params={"series": uid(number)}) for number in range(60)]
        assert {answer.status_code for answer in answers} == {200, 507}
        refused = next(answer for answer in answers if answer.status_code == 507)
        assert refused.json()["code"] == "storage_full"
        assert "Doe" not in refused.text
        assert signed_in.get("/healthz").status_code == 200


class TestFolder:
    def test_files_added_later_appear_and_removed_ones_go(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        index()
        assert signed_in.get("/slice").status_code == 404
        paths = folder.write_all(volume(3))
        folder.write("other", image(series="other"))
        index()
        assert signed_in.get("/slice").headers["X-Slice-Count"] == "3"
        for path in paths:
            path.unlink()
        index()
        assert signed_in.get("/slice").headers["X-Slice-Count"] == "1"

    def test_half_of_it_is_junk(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        slices = volume(20)
        folder.write_all(slices)
        for number in range(20):
            folder.write(f"junk{number}", os.urandom(300))
        index()
        assert signed_in.get("/slice").headers["X-SOP-Instance-UID"] == slices[10].SOPInstanceUID
        state = signed_in.get("/volumes").json()["index"]
        assert (state["indexed"], state["refused"]) == (20, 20)

    def test_a_claim_of_a_huge_image_in_a_small_file(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        dataset = image()
        dataset.Rows = dataset.Columns = 10_000
        dataset.NumberOfFrames = 2_000_000_000
        folder.write("claim", dataset)
        folder.write_all(volume(3))
        index()
        assert signed_in.get("/slice").headers["X-Slice-Count"] == "3"

    @pytest.mark.parametrize("cut", [10, 131, 140, 300, 500, 700])
    def test_a_file_cut_anywhere(self, signed_in: TestClient, folder: Folder, index: Index, cut: int) -> None:
        folder.write("cut", to_bytes(image())[:cut])
        index()
        assert signed_in.get("/volumes").json()["index"]["refused"] == 1
        for path in ("/slice", "/patient"):
            assert signed_in.get(path).status_code in (200, 404, 422)

    def test_odd_bytes_in_texts(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        whole = to_bytes(image(PatientName="XXXXXXXX", SeriesDescription="YYYYYYYY", StudyDate="ZZZZZZZZ"))
        odd = whole.replace(b"XXXXXXXX", b"\xed\xa0\x80\xff\x00\x1b$B").replace(
            b"YYYYYYYY", b"\x00\xf0\x28\x8c\xbc\\\x1b\x00"
        )
        folder.write("odd", odd)
        index()
        assert signed_in.get("/patient").status_code == 200
        assert signed_in.get("/volumes").json()["total"] == 1
        assert signed_in.get("/volumes").json()["volumes"][0]["study_date"] is None


class TestTwoServers:
    def test_on_one_folder_and_one_database(
        self, settings: Settings, app: FastAPI, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        second = create_app(settings)
        with TestClient(second, base_url="http://localhost:8000", headers=dict(signed_in.headers)) as other:
            folder.write_all(volume(5))
            index()
            second.state.archive.catalogue.forget()
            for path in ("/volumes", "/patient"):
                assert other.get(path).json() == signed_in.get(path).json()
            assert other.get("/slice").content == signed_in.get("/slice").content
            assert other.get("/volumes").json()["index"]["indexed"] == 5


class TestLog:
    def test_no_patient_in_the_log(
        self, signed_in: TestClient, folder: Folder, index: Index, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG, "imageserver")
        secrets = {"PatientName": "Hidden^Person", "PatientID": "HIDDEN-7", "PatientBirthDate": "19010203"}
        paths = folder.write_all(volume(3, **secrets))
        folder.write("cut", to_bytes(image(series="cut", **secrets))[:-70])
        index()
        for path in (*CALLS, f"/volumes/{uid('series')}", f"/slice?series={uid('cut')}", "/slice?index=99"):
            signed_in.get(path)
        paths[1].unlink()
        signed_in.get("/slice")
        assert "imageserver.access" in caplog.text
        for value in ("Hidden", "Person", "HIDDEN-7", "19010203", str(folder.path)):
            assert value not in caplog.text
