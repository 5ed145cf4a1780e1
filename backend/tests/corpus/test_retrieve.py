"""Real files, retrieved: as stored they are the same bytes, transcoded the same pixels."""

import hashlib
import io
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from pydicom import dcmread

from tests.api.multipart_answers import Part, parts_of
from tests.corpus.conftest import case_folders

EXPLICIT = "1.2.840.10008.1.2.1"


def parts(client: TestClient, study: str, syntax: str) -> list[Part]:
    accept = f'multipart/related; type="application/dicom"; transfer-syntax={syntax}'
    answer = client.get(f"/dicomweb/studies/{study}", headers={"Accept": accept})
    if answer.status_code == 406:
        return []
    assert answer.status_code in (200, 206), answer.text
    return parts_of(answer, "application/dicom")


def studies(client: TestClient) -> list[str]:
    found = client.get("/studies", params={"limit": 1000}).json()["studies"]
    return [one["study_instance_uid"] for one in found]


def pixels(content: bytes) -> NDArray[Any] | None:
    """What pydicom decodes; None where it cannot."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = dcmread(io.BytesIO(content), force=True)
            return np.asarray(dataset.pixel_array)
    except Exception:
        return None


@pytest.fixture(autouse=True)
def quiet() -> Any:
    logging.disable(logging.ERROR)  # pydicom and its plugins tell of every odd value
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("folder", case_folders())
def test_as_stored_it_is_the_same_file(serve: Any, folder: Path) -> None:
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    digests = {hashlib.sha256(content).hexdigest() for content in files}
    client = serve(folder)
    for study in studies(client):
        for part in parts(client, study, "*"):
            if part.media_type == "application/problem+json":
                continue
            assert part.content[128:132] == b"DICM"
            if hashlib.sha256(part.content).hexdigest() not in digests:
                # Stored without the header of PS3.10, which is in front of the same bytes now.
                assert any(part.content.endswith(content) for content in files), part.headers


@pytest.mark.parametrize("folder", case_folders())
def test_transcoded_it_has_the_same_pixels(serve: Any, folder: Path) -> None:
    client = serve(folder)
    for study in studies(client):
        stored = {part.headers["content-location"]: part for part in parts(client, study, "*")}
        for part in parts(client, study, EXPLICIT):
            if part.media_type == "application/problem+json":
                continue
            before = stored[part.headers["content-location"]]
            found = dcmread(io.BytesIO(part.content))
            assert found.file_meta.TransferSyntaxUID == EXPLICIT
            if part.content == before.content:
                continue
            expected = pixels(before.content)
            if expected is not None:
                np.testing.assert_array_equal(pixels(part.content), expected)
