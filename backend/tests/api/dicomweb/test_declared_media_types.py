"""Every media type that a resource declares, and the documents therefore promise, is really answered."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from imageserver.api.dicomweb.description import dicomweb_resources
from tests.api.conftest import Index
from tests.builders import image
from tests.folders import Folder

# Of an encapsulated document, and of a request for several ranges.
NOT_OF_A_PICTURE = {"application/pdf", "multipart/byteranges"}
OF_OTHER_TESTS = ("/renderedmpr", "/wado")  # of volumes; with parameters that must be there
FRAMES_AS_STORED = re.compile(r".*/frames/[\d,]+")


@pytest.fixture
def addresses(folder: Folder, index: Index, signed_in: TestClient) -> dict[str, str]:
    """What the parameters of addresses stand for; a study with one series of one instance."""
    dataset = image(study="only", series="only", instance="only")
    folder.write("only", dataset)
    index()
    return {
        "study_instance_uid": str(dataset.StudyInstanceUID),
        "series_instance_uid": str(dataset.SeriesInstanceUID),
        "sop_instance_uid": str(dataset.SOPInstanceUID),
        "frame_list": "1",
        "bulk_path:path": "7FE00010",
        "bulk_path": "7FE00010",
    }


def is_of_compressed_pixels(path: str, media_type: str) -> bool:
    """Tell whether only compressed pixel data comes like this; what is stored here is not."""
    is_frame = FRAMES_AS_STORED.fullmatch(path) is not None
    return ("bulkdata" in path and media_type == "multipart/related") or (
        is_frame and media_type.startswith("image/")
    )


def test_each_is_answered(app: FastAPI, signed_in: TestClient, addresses: dict[str, str]) -> None:
    asked = 0
    for resource in dicomweb_resources(app.routes):
        path = re.sub(r"{([\w:]+)}", lambda match: addresses[match[1]], resource.path)
        for transaction in resource.transactions:
            if transaction.method != "GET" or path.endswith(OF_OTHER_TESTS):
                continue
            assert transaction.gives, f"{resource.path} declares no media type"
            for media_type in set(transaction.gives) - NOT_OF_A_PICTURE:
                if is_of_compressed_pixels(path, media_type):
                    continue
                answer = signed_in.get(path, headers={"Accept": media_type})
                told = answer.headers.get("content-type", "").split(";")[0]
                if answer.status_code == 204:  # nothing found, in a form that has none for it
                    continue
                assert (answer.status_code, told) == (200, media_type), (path, media_type, answer.text[:300])
                assert answer.status_code in transaction.statuses
                asked += 1
    assert asked > 30
