"""Rendered MPR volumes (PS3.18 10.4.1.1.7, 8.3.5.3, annex K)."""

import io
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from pydicom.dataset import Dataset
from sqlalchemy import select

from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.api.conftest import Index
from tests.api.dicomweb.addresses import instance_of, series_of, study_of
from tests.builders import enhanced, image, uid
from tests.folders import Folder

WINDOW = {"WindowCenter": 128, "WindowWidth": 256}  # maps 0 … 255 to themselves (PS3.3 C.11.2.1.2.1)
CUBE = np.random.default_rng(9).integers(1, 256, (6, 8, 8)).astype(np.uint16)
CAMERA = "viewpointposition=1.5,-9,1.5&viewpointlookat=1.5,1.5,1.5&viewpointup=0,0,1"


def picture(answer: Any) -> np.ndarray:
    """The picture without the black around what lies in the volume."""
    assert answer.status_code == 200, answer.text
    values = np.array(Image.open(io.BytesIO(answer.content)))
    rows, columns = np.nonzero(values)
    return values[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def slices_of(values: np.ndarray, **attributes: Any) -> list[Dataset]:
    """Slices 0.5 mm apart with pixels of 0.5 mm, the first at the origin."""
    return [
        image(pixels, instance=k + 1, ImagePositionPatient=[0, 0, 0.5 * k], **{**WINDOW, **attributes})
        for k, pixels in enumerate(values)
    ]


@pytest.fixture
def cube(folder: Folder, index: Index) -> list[Dataset]:
    slices = slices_of(CUBE)
    folder.write_all(slices)
    index()
    return slices


@pytest.mark.parametrize("level", [study_of, series_of, instance_of])
def test_anonymous(client: TestClient, level: Any) -> None:
    assert client.get(f"{level(image())}/renderedmpr").status_code == 401


class TestPlanes:
    @pytest.mark.parametrize("level", [study_of, series_of])
    def test_axial_from_below_by_default(
        self, signed_in: TestClient, cube: list[Dataset], level: Any
    ) -> None:
        answer = signed_in.get(f"{level(cube[0])}/renderedmpr?accept=image/png")
        np.testing.assert_array_equal(picture(answer), CUBE[3])

    def test_from_the_front(self, signed_in: TestClient, cube: list[Dataset]) -> None:
        answer = signed_in.get(f"{series_of(cube[0])}/renderedmpr?orientation=a&accept=image/png")
        np.testing.assert_array_equal(picture(answer), CUBE[::-1, 4, :])

    def test_through_a_point(self, signed_in: TestClient, cube: list[Dataset]) -> None:
        answer = signed_in.get(f"{series_of(cube[0])}/renderedmpr?{CAMERA}&accept=image/png")
        np.testing.assert_array_equal(picture(answer), CUBE[::-1, 3, :])

    @pytest.mark.parametrize(("method", "reduce"), [("maximum_ip", np.max), ("minimum_ip", np.min)])
    def test_a_slab(self, signed_in: TestClient, cube: list[Dataset], method: str, reduce: Any) -> None:
        query = f"{CAMERA}&mprslab=1&renderingmethod={method}&accept=image/png"
        answer = signed_in.get(f"{series_of(cube[0])}/renderedmpr?{query}")
        np.testing.assert_array_equal(picture(answer), reduce(CUBE[::-1, 2:5, :], axis=1))

    def test_parameters_of_rendered_resources(self, signed_in: TestClient, cube: list[Dataset]) -> None:
        """The example of PS3.18 B.34, but for its points."""
        query = f"renderingmethod=maximum_ip&mprslab=20&{CAMERA}&viewport=256,256&window=700,100,linear"
        reference = f"volumeinputreference={cube[2].SOPInstanceUID}"
        answer = signed_in.get(f"{series_of(cube[0])}/renderedmpr?{reference}&{query}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
        assert Image.open(io.BytesIO(answer.content)).size[0] == 256

    def test_one_of_several_volumes(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        for number in (1, 2):
            slices = slices_of(CUBE // number, series=f"phase {number}", study="heart")
            folder.write_all(slices, prefix=f"phase{number}-")
        index()
        query = f"volumeinputreference={slices[1].SOPInstanceUID}&accept=image/png"
        answer = signed_in.get(f"{study_of(slices[0])}/renderedmpr?{query}")
        np.testing.assert_array_equal(picture(answer), CUBE[3] // 2)

    def test_frames_of_one_instance(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        dataset = enhanced([(0, 0, 0.5 * k) for k in range(6)], CUBE, **WINDOW)
        folder.write("a", dataset)
        index()
        for query in ("", "&volumeinputreference=2"):
            answer = signed_in.get(f"{instance_of(dataset)}/renderedmpr?accept=image/png{query}")
            np.testing.assert_array_equal(picture(answer), CUBE[3])
        answer = signed_in.get(f"{instance_of(dataset)}/renderedmpr?volumeinputreference=7")
        assert (answer.status_code, answer.json()["code"]) == (404, "instance_not_found")

    def test_not_modified(self, signed_in: TestClient, cube: list[Dataset]) -> None:
        address = f"{series_of(cube[0])}/renderedmpr"
        tag = {"If-None-Match": signed_in.get(address).headers["ETag"]}
        assert signed_in.get(address, headers=tag).status_code == 304
        assert signed_in.get(f"{address}?orientation=a", headers=tag).status_code == 200

    def test_is_audited(self, signed_in: TestClient, cube: list[Dataset], database: Database) -> None:
        signed_in.get(f"{series_of(cube[0])}/renderedmpr")
        with database.reading() as session:
            rows = session.scalars(select(AuditEvent).where(AuditEvent.kind == "reslice")).all()
        assert [row.series_instance_uid for row in rows] == [cube[0].SeriesInstanceUID]


class TestAppliedParameters:
    def test_as_the_standard_writes_them(self, signed_in: TestClient, cube: list[Dataset]) -> None:
        """Annex K and the example B.32: one object; sides of the patient become a camera."""
        query = "orientation=a&mprslab=2&renderingmethod=average_ip&renderedvolumetricmetadata=yes"
        answer = signed_in.get(f"{series_of(cube[0])}/renderedmpr?{query}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/dicom+json")
        assert answer.json() == {
            "00281050": {"vr": "DS", "Value": [128]},
            "00281051": {"vr": "DS", "Value": [256]},
            "00281056": {"vr": "CS", "Value": ["LINEAR"]},
            "00701503": {"vr": "FD", "Value": [2]},
            "00701603": {"vr": "FD", "Value": [2, 1, 1.5]},
            "00701604": {"vr": "FD", "Value": [2, 2, 1.5]},
            "00701605": {"vr": "FD", "Value": [0, 0, 1]},
            "0070120D": {"vr": "CS", "Value": ["AVERAGE_IP"]},
            "00720510": {"vr": "CS", "Value": ["MPR"]},
        }

    def test_as_a_camera_they_give_the_same_picture(self, signed_in: TestClient, cube: list[Dataset]) -> None:
        address = f"{series_of(cube[0])}/renderedmpr?accept=image/png"
        applied = signed_in.get(f"{address}&orientation=l&renderedvolumetricmetadata=yes&accept=*/*").json()
        names = {"00701603": "viewpointposition", "00701604": "viewpointlookat", "00701605": "viewpointup"}
        camera = "&".join(
            f"{name}={','.join(str(value) for value in applied[tag]['Value'])}" for tag, name in names.items()
        )
        assert (
            signed_in.get(f"{address}&{camera}").content == signed_in.get(f"{address}&orientation=l").content
        )


class TestRefused:
    @pytest.mark.parametrize(
        "query",
        [
            "orientation=x", "orientation=a,p", f"orientation=a&{CAMERA}", "renderingmethod=volume_rendered",
            "renderingmethod=average_ip,maximum_ip", "mprslab=0", "mprslab=-1", "mprslab=501", "mprslab=thick",
            "viewpointposition=1,1,1", "viewpointposition=1,1&viewpointlookat=0,0,0&viewpointup=0,0,1",
            "viewpointposition=1,1,1&viewpointlookat=1,1,1&viewpointup=0,0,1",
            "viewpointposition=1,1,9&viewpointlookat=1,1,1&viewpointup=0,0,0",
            "viewpointposition=1,1,99&viewpointlookat=1,1,90&viewpointup=0,1,0",
            "swivelrange=180", "animationrate=30", "animationstepsize=1", "volumetriccurvepoint=1,1,1",
            "CardiacRRIntervalSpecified=140-260", "00181060=5", "match=x", "renderedvolumetricmetadata=no",
            "volumeinputreference=a", "volumeinputreference=1.2,1.3", "volumeinputreference=3", "window=1,2",
            "viewport=1",
        ],
    )  # fmt: skip
    def test_bad_requests(self, signed_in: TestClient, cube: list[Dataset], query: str) -> None:
        answer = signed_in.get(f"{series_of(cube[0])}/renderedmpr?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    def test_not_acceptable(self, signed_in: TestClient, cube: list[Dataset]) -> None:
        answer = signed_in.get(f"{series_of(cube[0])}/renderedmpr", headers={"Accept": "video/mp4"})
        assert answer.status_code == 406
        metadata = f"{series_of(cube[0])}/renderedmpr?renderedvolumetricmetadata=yes"
        assert signed_in.get(metadata, headers={"Accept": "image/png"}).status_code == 406

    def test_no_volume(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        dataset = image(**WINDOW)
        folder.write("a", dataset)
        index()
        answer = signed_in.get(f"{series_of(dataset)}/renderedmpr")
        assert (answer.status_code, answer.json()["reason"]) == (400, "one_slice")

    def test_one_slice_of_a_volume(self, signed_in: TestClient, cube: list[Dataset]) -> None:
        answer = signed_in.get(f"{instance_of(cube[2])}/renderedmpr")
        assert (answer.status_code, answer.json()["reason"]) == (400, "one_slice")

    def test_not_there(self, signed_in: TestClient, cube: list[Dataset]) -> None:
        for level in (study_of, series_of, instance_of):
            assert signed_in.get(f"{level(image(series='other'))}/renderedmpr").status_code == 404
            answer = signed_in.get(f"{level(cube[0])}/renderedmpr?volumeinputreference={uid('other')}")
            assert (answer.status_code, answer.json()["code"]) == (404, "instance_not_found")
