"""Real files through the whole server: each case folder is a data directory."""

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from imageserver.accounts.passwords import PasswordHasher
from imageserver.main import create_app
from imageserver.settings import Settings
from tests.conftest import CHEAPEST_HASH, PASSWORD, AddUser
from tests.corpus.conftest import VARIABLE, Case, case_folders, file_cases, series_cases


@pytest.fixture
def serve(settings: Settings, add_user: AddUser) -> Iterator[Any]:
    """Function that starts a server on a folder and returns a signed-in client, once the folder is indexed."""
    clients: list[TestClient] = []

    def start(folder: Path) -> TestClient:
        app: FastAPI = create_app(settings.model_copy(update={"data_dir": folder}))
        app.state.password_hasher = PasswordHasher(CHEAPEST_HASH)
        client = TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False)
        clients.append(client)
        client.__enter__()
        add_user("ada")
        token = client.post("/auth/token", data={"username": "ada", "password": PASSWORD}).json()[
            "access_token"
        ]
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {token}"
        until = time.monotonic() + 60
        while client.get("/volumes").json()["index"]["state"] == "building" and time.monotonic() < until:
            time.sleep(0.05)
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)


@pytest.mark.parametrize("folder", case_folders())
def test_nothing_answers_that_the_server_failed(serve: Any, folder: Path) -> None:
    client = serve(folder)
    listed = client.get("/volumes", params={"limit": 1000}).json()
    assert listed["index"]["state"] == "ready"
    assert listed["index"]["seen"] == sum(len(files) for _, _, files in os.walk(folder))
    for volume in listed["volumes"]:
        uid = volume["series_instance_uid"]
        assert client.get("/patient", params={"series": uid}).status_code == 200
        detail = client.get(f"/volumes/{uid}")
        assert detail.status_code == 200
        for stack in detail.json()["stacks"]:
            for index in {0, stack["count"] // 2, stack["count"] - 1}:
                answer = client.get("/slice", params={"series": uid, "stack": stack["stack"], "index": index})
                assert answer.status_code in (200, 422)
                if answer.status_code == 200:
                    size = Image.open(io.BytesIO(answer.content)).size
                    assert size == (stack["columns"], stack["rows"])
                else:
                    assert answer.json()["code"] in ("undecodable_frame", "unsupported_transfer_syntax")
                    assert answer.json()["slice"]["index"] == index
    assert client.get("/patient").status_code in (200, 404)
    assert client.get("/slice").status_code in (200, 404, 422)


@pytest.mark.parametrize("case", series_cases())
def test_series(serve: Any, case: Case) -> None:
    client, uid = serve(case.folder), case.expected["series"]
    listed = client.get("/volumes").json()
    assert listed["total"] == case.expected["volumes_expected"]
    detail = client.get(f"/volumes/{uid}").json()
    assert detail["modality"] == case.expected["modality"]
    assert detail["slice_count"] == case.expected["distinct_sop_instances"]
    assert detail["middle"]["count"] == case.expected["distinct_positions"]
    assert detail["middle"]["sop_instance_uid"] == case.expected["middle"]["sop"]
    patient = client.get("/patient", params={"series": uid}).json()
    assert patient["raw"] == case.expected["patient_name"]["value"]
    assert patient["other_names"] == []
    answer = client.get("/slice", params={"series": uid})
    assert answer.headers["X-SOP-Instance-UID"] == case.expected["middle"]["sop"]


@pytest.mark.parametrize("case", file_cases("patient_name"))
def test_names_of_single_files(serve: Any, tmp_path: Path, case: Case) -> None:
    expected = case.expected["patient_name"]
    folder = tmp_path / "alone"
    folder.mkdir()
    copy = folder / "file"
    copy.write_bytes(case.path.read_bytes())
    os.utime(copy, (1e9, 1e9))
    patient = serve(folder).get("/patient").json()
    assert patient["raw"] == (expected if isinstance(expected, str) else expected["value"])


@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} is not set")
def test_all_cases_together(serve: Any) -> None:
    client = serve(Path(os.environ[VARIABLE]))
    answer = client.get("/volumes", params={"limit": 1000}).json()
    assert answer["total"] == len(answer["volumes"])
    default = answer["volumes"][0]
    assert default["is_default"]
    counts = [v["slice_count"] for v in answer["volumes"] if v["verdict"].startswith("volume")]
    assert default["slice_count"] == max(counts)
    assert client.get("/slice").status_code == 200
