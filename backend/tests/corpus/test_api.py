"""Real files through the whole server: each case folder is a data directory."""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from tests.corpus.conftest import VARIABLE, Case, case_folders, file_cases, series_cases


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


@pytest.mark.parametrize("folder", case_folders())
def test_rendered_pictures_are_those_of_slice(serve: Any, folder: Path) -> None:
    """DICOMweb and the core API draw every stack alike, or refuse it with the same code."""
    client = serve(folder)
    for volume in client.get("/volumes", params={"limit": 1000}).json()["volumes"]:
        uid, study = volume["series_instance_uid"], volume["study_instance_uid"]
        for stack in client.get(f"/volumes/{uid}").json()["stacks"]:
            middle = stack["middle"]
            own = client.get("/slice", params={"series": uid, "stack": stack["stack"]})
            web = client.get(
                f"/dicomweb/studies/{study}/series/{uid}/instances/{middle['sop_instance_uid']}"
                f"/frames/{middle['frame_number']}/rendered",
                headers={"Accept": "image/png"},
            )
            # What cannot be decoded is 406 there: PS3.18 8.5 has no 422.
            assert web.status_code == {422: 406}.get(own.status_code, own.status_code)
            if own.status_code == 200:
                assert web.content == own.content
            else:
                assert web.json()["code"] == own.json()["code"]


@pytest.mark.parametrize("case", series_cases())
def test_arrays_are_the_slices_in_order(serve: Any, case: Case) -> None:
    """Against the digests and the range of values that dcmtk and SimpleITK found."""
    client, uid = serve(case.folder), case.expected["series"]
    wanted = [one["sop"] for one in case.expected["slices_in_order"]]
    stacks = client.get(f"/volumes/{uid}").json()["stacks"]
    lowest, highest = [], []
    for stack in stacks:
        address = f"/volumes/{uid}/array?stack={stack['stack']}"
        values = np.load(io.BytesIO(client.get(address).content))
        stored = np.load(io.BytesIO(client.get(f"{address}&units=stored").content))
        listed = client.get(f"/volumes/{uid}/slices?stack={stack['stack']}").json()["slices"]
        assert values.shape == stored.shape == (len(listed), stack["rows"], stack["columns"])
        if len(stacks) == 1:
            assert [one["sop_instance_uid"] for one in listed] == wanted
        lowest.append(values.min())
        highest.append(values.max())
        assert _digests(stored) <= set(case.expected["pixel_sha256_by_file"].values())
    assert [min(lowest), max(highest)] == case.expected["volume_modality_min_max"]


@pytest.mark.parametrize("case", series_cases())
def test_nifti_lies_where_the_slices_do(serve: Any, case: Case) -> None:
    """Against pydicom's reading of the first and the last slice, and the distances that were measured."""
    client, uid = serve(case.folder), case.expected["series"]
    answer = client.get(f"/volumes/{uid}/array?format=nifti&stack=0")
    if answer.status_code != 200:
        assert client.get(f"/volumes/{uid}").json()["stacks"][0]["affine"] is None
        return
    image = nibabel.Nifti1Image.from_bytes(answer.content)
    to_lps = np.diag([-1, -1, 1, 1]) @ image.affine
    by_uid = {one["sop"]: case.folder / one["file"] for one in case.expected["slices_in_order"]}
    listed = client.get(f"/volumes/{uid}/slices?stack=0").json()["slices"]
    for index in (0, len(listed) - 1):
        dataset = dcmread(by_uid[listed[index]["sop_instance_uid"]], stop_before_pixels=True)
        first = np.array(dataset.ImagePositionPatient, float)
        across = np.array(dataset.ImageOrientationPatient[:3], float) * dataset.PixelSpacing[1]
        np.testing.assert_allclose((to_lps @ [0, 0, index, 1])[:3], first, atol=0.01)
        np.testing.assert_allclose((to_lps @ [10, 0, index, 1])[:3], first + 10 * across, atol=0.01)


def _digests(stored: np.ndarray) -> set[str]:
    return {hashlib.sha256(one.tobytes()).hexdigest() for one in stored}
