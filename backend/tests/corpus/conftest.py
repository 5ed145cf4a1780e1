"""Real files that are not part of the repository, and what other programs say about them.

`DICOM_CORPUS_DIR` names the folder of cases; the expected values lie beside it, in `dicom-expected`. They were made
with dcmtk, GDCM, OpenJPEG and SimpleITK, not with the libraries that the server uses for the same step where there
was a choice.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from imageserver.accounts.passwords import PasswordHasher
from imageserver.dicom.reading import FileRefused, Header, read_header
from imageserver.main import create_app
from imageserver.settings import Settings
from tests.conftest import CHEAPEST_HASH, PASSWORD, AddUser

VARIABLE = "DICOM_CORPUS_DIR"


class Case(NamedTuple):
    """One expectation: the folder of the files, the folder of the pictures, and the values."""

    folder: Path
    pictures: Path
    expected: dict[str, Any]

    @property
    def path(self) -> Path:
        return self.folder / self.expected["file"]


def _cases() -> list[tuple[Path, Path, dict[str, Any]]]:
    if not os.environ.get(VARIABLE):
        return []
    corpus = Path(os.environ[VARIABLE]).resolve()
    found = sorted((corpus.parent / "dicom-expected").glob("*/expected.json"))
    return [(corpus / path.parent.name, path.parent, json.loads(path.read_text("utf-8"))) for path in found]


def series_cases() -> list[Any]:
    """One case per series that forms a volume."""
    return _parameters(
        [
            Case(folder, pictures, {"volumes_expected": values["volumes_expected"], **series})
            for folder, pictures, values in _cases()
            if isinstance(values.get("series"), list)
            for series in values["series"]
        ],
        "series",
    )


def file_cases(key: str | None = None) -> list[Any]:
    """One case per single file, and per middle slice of a series; only those with `key` where it is given."""
    return _parameters([case for case in _files() if key is None or case.expected.get(key)], "file")


def picture_cases() -> list[Any]:
    """The files whose reference has a picture."""
    return _parameters([case for case in _files() if case.expected.get("reference", {}).get("png")], "file")


def overlay_cases() -> list[Any]:
    """The files whose reference has a picture with overlays."""
    references = ((case, case.expected.get("reference", {})) for case in _files())
    return _parameters([case for case, reference in references if reference.get("with_overlays_png")], "file")


def _files() -> Iterator[Case]:
    for folder, pictures, values in _cases():
        single = values.get("files", [])
        volumes = values["series"] if isinstance(values.get("series"), list) else []
        middles = [series[k] for series in volumes for k in ("middle", "middle_minus_one") if series.get(k)]
        yield from (Case(folder, pictures, file) for file in (*single, *middles))


def _parameters(cases: list[Case], what: str) -> list[Any]:
    if cases:
        return [pytest.param(case, id=f"{case.folder.name}-{case.expected[what][-24:]}") for case in cases]
    reason = (
        f"{VARIABLE} is not set: it names a folder of real DICOM files, which are not part of the repository"
    )
    return [pytest.param(None, id="no corpus", marks=pytest.mark.skip(reason=reason))]


def case_folders() -> list[Any]:
    """The folders of all cases."""
    folders = sorted({folder for folder, _, _ in _cases()})
    return [pytest.param(folder, id=folder.name) for folder in folders] or _parameters([], "")


def read_even_without_pixels(path: Path) -> Header:
    """Read a header; also that of an image whose pixel data was taken out, which is refused as cut."""
    try:
        with path.open("rb") as stream:
            return read_header(stream)
    except FileRefused as refused:
        if refused.code != "no_pixel_data" or refused.header is None:
            raise
        header: Header = refused.header
        return header


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say per module how many comparisons with the references agree."""
    counts: dict[str, list[int]] = {}
    for place, outcome in enumerate(("passed", "failed")):
        for report in terminalreporter.stats.get(outcome, []):
            module = Path(report.location[0])
            if module.parent.name == "corpus":
                counts.setdefault(module.stem.removeprefix("test_"), [0, 0])[place] += 1
    if not counts:
        return
    files = sum(
        len(names) for folder in {folder for folder, _, _ in _cases()} for _, _, names in os.walk(folder)
    )
    terminalreporter.section("real files against the references")
    for module, (agree, differ) in sorted(counts.items()):
        terminalreporter.write_line(f"{module:14} {agree:5} agree {differ:5} differ")
    terminalreporter.write_line(
        f"{len(_cases())} cases, {files} files; explained differences: docs/decisions/0019"
    )


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
        until = time.monotonic() + 300
        while client.get("/volumes").json()["index"]["state"] == "building":
            assert time.monotonic() < until, "the folder is not indexed"
            time.sleep(0.05)
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)
