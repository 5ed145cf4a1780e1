"""WADO-URI (PS3.18 9): one instance by query parameters."""

import io
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLSLossless
from sqlalchemy import select

from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.api.conftest import Index
from tests.builders import image, to_bytes, uid
from tests.folders import Folder

WINDOW = {"WindowCenter": 128, "WindowWidth": 256}  # maps 0 … 255 to themselves (PS3.3 C.11.2.1.2.1)
PIXELS = np.random.default_rng(3).integers(0, 256, (3, 40, 80)).astype(np.uint16)


def query(number: int = 1, **parameters: Any) -> dict[str, Any]:
    return {
        "requestType": "WADO",
        "studyUID": uid("study of", "series"),
        "seriesUID": uid("series"),
        "objectUID": uid("series", number),
        **parameters,
    }


def get(client: TestClient, number: int = 1, **parameters: Any) -> Any:
    return client.get("/dicomweb/wado", params=query(number, **parameters))


def picture(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.array(Image.open(io.BytesIO(answer.content)))


@pytest.fixture
def contents(folder: Folder, index: Index) -> list[bytes]:
    """A single image, one of three frames, and an object without pixels."""
    made: list[Dataset] = [
        image(PIXELS[0], instance=1, **WINDOW),
        image(PIXELS, instance=2, NumberOfFrames=3, **WINDOW),
        image(instance=3, PixelData=None, Rows=None),
    ]
    found = [to_bytes(one, ImplicitVRLittleEndian) for one in made]
    for number, content in enumerate(found):
        folder.write(str(number), content)
    index()
    return found


class TestFiles:
    def test_anonymous(self, client: TestClient) -> None:
        assert get(client).status_code == 401

    def test_explicit_unless_said_otherwise(self, signed_in: TestClient, contents: list[bytes]) -> None:
        answer = get(signed_in, contentType="application/dicom")
        found = dcmread(io.BytesIO(answer.content))
        assert found.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        np.testing.assert_array_equal(found.pixel_array, PIXELS[0])

    def test_as_stored(self, signed_in: TestClient, contents: list[bytes]) -> None:
        answer = get(signed_in, contentType="application/dicom", transferSyntax="*")
        assert answer.content == contents[0]
        assert answer.headers["Content-Length"] == str(len(contents[0]))

    def test_in_another_transfer_syntax(self, signed_in: TestClient, contents: list[bytes]) -> None:
        answer = get(signed_in, contentType="application/dicom", transferSyntax=JPEGLSLossless)
        found = dcmread(io.BytesIO(answer.content))
        assert found.file_meta.TransferSyntaxUID == JPEGLSLossless
        np.testing.assert_array_equal(found.pixel_array, PIXELS[0])

    @pytest.mark.parametrize("number", [2, 3])
    def test_what_is_no_single_frame_is_a_file(
        self, signed_in: TestClient, contents: list[bytes], number: int
    ) -> None:
        assert get(signed_in, number).headers["Content-Type"].startswith("application/dicom")


class TestPictures:
    def test_a_single_frame_is_jpeg(self, signed_in: TestClient, contents: list[bytes]) -> None:
        answer = get(signed_in)
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert np.abs(picture(answer).astype(int) - PIXELS[0]).mean() < 12

    def test_png_is_exact(self, signed_in: TestClient, contents: list[bytes]) -> None:
        found = picture(get(signed_in, contentType="image/png"))
        np.testing.assert_array_equal(found, PIXELS[0].astype(np.uint8))

    def test_one_of_several_frames(self, signed_in: TestClient, contents: list[bytes]) -> None:
        found = picture(get(signed_in, 2, contentType="image/png", frameNumber=3))
        np.testing.assert_array_equal(found, PIXELS[2].astype(np.uint8))

    def test_a_window(self, signed_in: TestClient, contents: list[bytes]) -> None:
        found = picture(get(signed_in, contentType="image/png", windowCenter=100, windowWidth=1))
        np.testing.assert_array_equal(found, np.where(PIXELS[0] > 99.5, 255, 0))

    @pytest.mark.parametrize(
        ("parameters", "shape"),
        [
            ({"rows": 20}, (20, 40)),
            ({"columns": 40}, (20, 40)),
            ({"rows": 10, "columns": 60}, (10, 20)),
            ({"region": "0.5,0,1,1"}, (40, 40)),
            ({"region": "0.25,0.25,0.75,0.75", "columns": 80}, (40, 80)),
        ],
    )
    def test_size(
        self, signed_in: TestClient, contents: list[bytes], parameters: dict[str, Any], shape: tuple[int, int]
    ) -> None:
        assert picture(get(signed_in, contentType="image/png", **parameters)).shape == shape

    def test_a_region_is_that_part(self, signed_in: TestClient, contents: list[bytes]) -> None:
        found = picture(get(signed_in, contentType="image/png", region="0.5,0.25,1,1"))
        np.testing.assert_array_equal(found, PIXELS[0][10:, 40:].astype(np.uint8))

    def test_quality(self, signed_in: TestClient, contents: list[bytes]) -> None:
        poor, good = (get(signed_in, imageQuality=quality) for quality in (5, 95))
        assert len(poor.content) < len(good.content)

    def test_annotation(self, signed_in: TestClient, contents: list[bytes]) -> None:
        plain, annotated = (
            get(signed_in, contentType="image/png", rows=400, **extra)
            for extra in ({}, {"annotation": "patient"})
        )
        assert plain.content != annotated.content

    def test_304(self, signed_in: TestClient, contents: list[bytes]) -> None:
        tag = get(signed_in).headers["ETag"]
        headers = {"If-None-Match": tag}
        assert signed_in.get("/dicomweb/wado", params=query(), headers=headers).status_code == 304


class TestStatus:
    @pytest.mark.parametrize(
        "parameters",
        [
            {"requestType": "WADO-RS"},
            {"studyUID": "1.2.x"},
            {"objectUID": ""},
            {"frameNumber": "0"},
            {"frameNumber": "x"},
            {"rows": "0"},
            {"columns": "99999"},
            {"windowCenter": "40"},
            {"windowCenter": "40", "windowWidth": "0"},
            {"windowCenter": "nan", "windowWidth": "10"},
            {"region": "0,0,1"},
            {"region": "0,0,1,2"},
            {"region": "0.5,0,0.5,1"},
            {"imageQuality": "101"},
            {"annotation": "nurse"},
            {"anonymize": "yes"},
            {"presentationUID": "1.2.3"},
            {"presentationSeriesUID": "1.2.3"},
            {"frameNumber": "2"},  # of one: 9.5.2.1
            {"transferSyntax": "implicit", "contentType": "application/dicom"},  # 9.4.2.4
            {"contentType": "application/dicom;transfer-syntax=1.2.840.10008.1.2.1"},  # 9.1.2.2.1
            {"contentType": "application/dicom; Charset=utf-8"},
            {"contentType": "application/dicom", "windowCenter": "40", "windowWidth": "9"},  # 9.5.1.2.6
        ],
    )
    def test_400(self, signed_in: TestClient, contents: list[bytes], parameters: dict[str, str]) -> None:
        answer = get(signed_in, **parameters)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    @pytest.mark.parametrize("missing", ["requestType", "studyUID", "seriesUID", "objectUID"])
    def test_400_where_one_is_missing(
        self, signed_in: TestClient, contents: list[bytes], missing: str
    ) -> None:
        found = {name: value for name, value in query().items() if name != missing}
        assert signed_in.get("/dicomweb/wado", params=found).status_code == 400

    @pytest.mark.parametrize("name", ["studyUID", "seriesUID", "objectUID"])
    def test_404(self, signed_in: TestClient, contents: list[bytes], name: str) -> None:
        assert get(signed_in, **{name: "1.2.3"}).status_code == 404

    def test_400_for_a_frame_beyond_the_last(self, signed_in: TestClient, contents: list[bytes]) -> None:
        assert get(signed_in, 2, contentType="image/png", frameNumber=4).status_code == 400

    @pytest.mark.parametrize(
        ("number", "parameters"),
        [
            (1, {"contentType": "text/html"}),
            (3, {"contentType": "image/jpeg"}),
            (1, {"contentType": "application/dicom", "transferSyntax": "1.2.840.10008.1.2.4.50"}),
        ],
    )
    def test_406(
        self, signed_in: TestClient, contents: list[bytes], number: int, parameters: dict[str, str]
    ) -> None:
        answer = get(signed_in, number, **parameters)
        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")

    def test_410(self, signed_in: TestClient, contents: list[bytes], folder: Folder) -> None:
        (folder.path / "0").unlink()
        for kind in ("image/png", "application/dicom"):
            assert get(signed_in, contentType=kind).status_code == 410

    def test_it_is_recorded(self, signed_in: TestClient, contents: list[bytes], database: Database) -> None:
        get(signed_in)
        get(signed_in, contentType="application/dicom")
        with database.reading() as session:
            kinds = session.scalars(
                select(AuditEvent.kind).where(AuditEvent.series_instance_uid == uid("series"))
            )
            assert {"slice", "retrieved"} <= set(kinds)
