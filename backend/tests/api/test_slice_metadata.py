"""The attributes of the files of a run of slices: those and no others, each file once."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydicom.uid import ExplicitVRLittleEndian
from sqlalchemy import select

from imageserver.audit.models import AuditEvent
from tests.api.conftest import Index
from tests.builders import enhanced, image, to_bytes, uid, volume
from tests.folders import Folder

SERIES = uid("series")
SOP, FRAMES = "00080018", "00280008"


def metadata(client: TestClient, **params: Any) -> Any:
    return client.get(f"/volumes/{SERIES}/metadata", params=params)


def slices(client: TestClient) -> Any:
    return client.get(f"/volumes/{SERIES}/slices").json()


def told(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {one[SOP]["Value"][0] for one in answer.json()}


def test_anonymous(client: TestClient) -> None:
    answer = metadata(client)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_files_of_the_run_and_no_others(signed_in: TestClient, folder: Folder, index: Index) -> None:
    folder.write_all(reversed(volume(5)))
    index()
    listed = slices(signed_in)
    answer = metadata(signed_in, first=1, count=3, version=listed["version"])
    assert told(answer) == {one["sop_instance_uid"] for one in listed["slices"][1:4]}
    assert answer.headers["Content-Type"] == "application/dicom+json"
    assert answer.headers["Cache-Control"] == "no-store"


def test_same_as_dicomweb_tells(signed_in: TestClient, folder: Folder, index: Index) -> None:
    folder.write("a", image())
    index()
    study = slices(signed_in)["study_instance_uid"]
    path = f"/dicomweb/studies/{study}/series/{SERIES}/instances/{uid('series', 1)}"
    [by_instance] = signed_in.get(f"{path}/metadata").json()
    [ours] = metadata(signed_in).json()
    assert ours.pop("7FE00010")["BulkDataURI"] == f"{path}/bulkdata/7FE00010"
    by_instance.pop("7FE00010")
    assert ours == by_instance


def test_one_file_for_all_of_its_frames(signed_in: TestClient, folder: Folder, index: Index) -> None:
    folder.write("a", enhanced([(0, 0, z) for z in range(4)]))
    index()
    [only] = metadata(signed_in, count=4).json()
    assert only[FRAMES]["Value"] == [4]


def test_file_that_is_gone_leaves_the_others(signed_in: TestClient, folder: Folder, index: Index) -> None:
    paths = {}
    for number, dataset in enumerate(volume(3)):
        paths[dataset.SOPInstanceUID] = folder.write(str(number), dataset)
    index()
    listed = slices(signed_in)["slices"]
    paths[listed[1]["sop_instance_uid"]].unlink()
    answer = metadata(signed_in, count=3)
    assert told(answer) == {one["sop_instance_uid"] for one in listed}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("first=3", 404, "slice_not_found"),
        ("first=2&count=2", 404, "slice_not_found"),
        ("stack=1", 404, "slice_not_found"),
        ("version=another", 409, "volume_changed"),
        ("first=-1", 422, "invalid_parameter"),
        ("count=0", 422, "invalid_parameter"),
        ("count=513", 422, "invalid_parameter"),
    ],
)
def test_refused(
    signed_in: TestClient, folder: Folder, index: Index, query: str, status: int, code: str
) -> None:
    folder.write_all(volume(3))
    index()
    answer = signed_in.get(f"/volumes/{SERIES}/metadata?{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_is_audited(app: FastAPI, signed_in: TestClient, folder: Folder, index: Index) -> None:
    folder.write("a", to_bytes(image(), ExplicitVRLittleEndian))
    index()
    assert metadata(signed_in).status_code == 200
    with app.state.database.reading() as session:
        kinds = set(session.scalars(select(AuditEvent.kind)))
    assert "metadata" in kinds
