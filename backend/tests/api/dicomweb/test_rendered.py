"""Rendered studies, series, instances and frames (PS3.18 10.4.1.1.3, 8.3.5)."""

import io
import threading
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from pydicom.dataset import Dataset
from sqlalchemy import select

from imageserver.archive.files import DataDirectory
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.api.conftest import Index
from tests.api.dicomweb.addresses import instance_of, series_of, study_of
from tests.api.multipart_answers import parts_of
from tests.builders import image, uid, volume
from tests.folders import Folder

WINDOW = {"WindowCenter": 128, "WindowWidth": 256}  # maps 0 … 255 to themselves (PS3.3 C.11.2.1.2.1)
PIXELS = np.random.default_rng(7).integers(0, 256, (3, 20, 40)).astype(np.uint16)
PNG = {"Accept": "image/png"}


def picture(content: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(content)))


@pytest.fixture
def one(folder: Folder, index: Index) -> Dataset:
    dataset = image(PIXELS[0], **WINDOW)
    folder.write("a", dataset)
    index()
    return dataset


@pytest.fixture
def three_frames(folder: Folder, index: Index) -> Dataset:
    dataset = image(PIXELS, NumberOfFrames=3, **WINDOW)
    folder.write("a", dataset)
    index()
    return dataset


@pytest.fixture
def slices(folder: Folder, index: Index) -> list[Dataset]:
    """Four slices whose files are in another order than they lie."""
    found = volume(4, **WINDOW)
    folder.write_all(reversed(found))
    index()
    return found


class TestOnePicture:
    @pytest.mark.parametrize(
        "level", [study_of, series_of, instance_of, lambda d: f"{instance_of(d)}/frames/1"]
    )
    def test_anonymous(self, client: TestClient, level: Any) -> None:
        answer = client.get(f"{level(image())}/rendered")
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    @pytest.mark.parametrize(
        "level", [study_of, series_of, instance_of, lambda d: f"{instance_of(d)}/frames/1"]
    )
    def test_is_a_single_part_and_jpeg_by_default(
        self, signed_in: TestClient, one: Dataset, level: Any
    ) -> None:
        answer = signed_in.get(f"{level(one)}/rendered")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
        assert answer.headers["Content-Location"] == f"{instance_of(one)}/frames/1/rendered"
        assert np.abs(picture(answer.content).astype(int) - PIXELS[0]).mean() < 12  # lossy

    def test_png_is_that_of_slice(self, signed_in: TestClient, one: Dataset) -> None:
        answer = signed_in.get(f"{instance_of(one)}/rendered", headers=PNG)
        np.testing.assert_array_equal(picture(answer.content), PIXELS[0])
        assert answer.content == signed_in.get("/slice").content
        windowed = signed_in.get(f"{instance_of(one)}/rendered?window=100,50,linear", headers=PNG)
        assert windowed.content == signed_in.get("/slice?center=100&width=50").content

    @pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp"])
    def test_media_types_of_header_and_query(self, signed_in: TestClient, one: Dataset, kind: str) -> None:
        by_header = signed_in.get(f"{instance_of(one)}/rendered", headers={"Accept": f"image/{kind}"})
        by_query = signed_in.get(f"{instance_of(one)}/rendered?accept=image/{kind}")
        assert by_header.headers["Content-Type"] == by_query.headers["Content-Type"] == f"image/{kind}"
        assert by_header.content == by_query.content
        assert Image.open(io.BytesIO(by_header.content)).format == kind.upper()

    def test_the_query_goes_before_the_header(self, signed_in: TestClient, one: Dataset) -> None:
        answer = signed_in.get(
            f"{instance_of(one)}/rendered?accept=image/png", headers={"Accept": "image/gif"}
        )
        assert answer.headers["Content-Type"] == "image/png"

    def test_what_a_client_excludes_is_not_sent(self, signed_in: TestClient, one: Dataset) -> None:
        accept = {"Accept": "image/jpeg;q=0, */*"}
        answer = signed_in.get(f"{instance_of(one)}/rendered", headers=accept)
        assert answer.headers["Content-Type"] == "image/png"

    def test_in_a_part_where_only_that_is_accepted(self, signed_in: TestClient, one: Dataset) -> None:
        accept = {"Accept": 'multipart/related; type="image/png"'}
        [part] = parts_of(signed_in.get(f"{instance_of(one)}/rendered", headers=accept), "image/png")
        np.testing.assert_array_equal(picture(part.content), PIXELS[0])

    @pytest.mark.parametrize("accept", ["video/mp4", "text/html", "application/dicom", "image/png;q=0"])
    def test_nothing_acceptable_names_what_there_is(
        self, signed_in: TestClient, one: Dataset, accept: str
    ) -> None:
        answer = signed_in.get(f"{instance_of(one)}/rendered", headers={"Accept": accept})
        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
        assert "image/jpeg, image/png, image/gif" in answer.json()["detail"]

    def test_not_modified(self, signed_in: TestClient, one: Dataset) -> None:
        first = signed_in.get(f"{instance_of(one)}/rendered")
        again = {"If-None-Match": first.headers["ETag"]}
        assert signed_in.get(f"{instance_of(one)}/rendered", headers=again).status_code == 304
        assert signed_in.get(f"{instance_of(one)}/rendered?quality=50", headers=again).status_code == 200
        assert first.headers["Cache-Control"] == "private, no-cache"
        assert "Authorization" in first.headers["Vary"]

    def test_is_audited(self, signed_in: TestClient, one: Dataset, database: Database) -> None:
        signed_in.get(f"{instance_of(one)}/rendered")
        with database.reading() as session:
            rows = session.scalars(select(AuditEvent).where(AuditEvent.kind == "slice")).all()
        assert [(row.outcome, row.series_instance_uid) for row in rows] == [
            ("success", one.SeriesInstanceUID)
        ]


class TestParameters:
    # PS3.3 C.11.2.1.2.1, C.11.2.1.3.2, C.11.2.1.3.1 with c = 100, w = 50, written down again, rounded half up.
    @pytest.mark.parametrize(
        ("function", "formula"),
        [
            ("linear", lambda x: np.clip((x - 99.5) / 49 + 0.5, 0, 1)),
            ("linear-exact", lambda x: np.clip((x - 100) / 50 + 0.5, 0, 1)),
            ("sigmoid", lambda x: 1 / (1 + np.exp(-4 * (x - 100) / 50))),
        ],
    )
    def test_window_functions(self, signed_in: TestClient, one: Dataset, function: str, formula: Any) -> None:
        answer = signed_in.get(f"{instance_of(one)}/rendered?window=100,50,{function}", headers=PNG)
        expected = np.floor(255 * formula(PIXELS[0].astype(float)) + 0.5)
        np.testing.assert_array_equal(picture(answer.content), expected)

    def test_viewport(self, signed_in: TestClient, one: Dataset) -> None:
        scaled = signed_in.get(f"{instance_of(one)}/rendered?viewport=80,80", headers=PNG)
        assert picture(scaled.content).shape == (40, 80)
        region = signed_in.get(f"{instance_of(one)}/rendered?viewport=10,5,7,3,-10,5", headers=PNG)
        np.testing.assert_array_equal(picture(region.content), PIXELS[0][3:8, 16:6:-1])

    def test_pixels_that_are_not_square(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        dataset = image(PIXELS[0], PixelSpacing=[1.0, 0.5], **WINDOW)
        folder.write("a", dataset)
        index()
        answer = signed_in.get(f"{instance_of(dataset)}/rendered?viewport=80,80", headers=PNG)
        assert picture(answer.content).shape == (80, 80)

    def test_quality(self, signed_in: TestClient, one: Dataset) -> None:
        low, high = (
            signed_in.get(f"{instance_of(one)}/rendered?quality={quality}").content for quality in (10, 100)
        )
        assert len(low) < len(high)

    def test_annotation(self, signed_in: TestClient, one: Dataset) -> None:
        address = f"{instance_of(one)}/rendered?viewport=512,512"
        plain = signed_in.get(address, headers=PNG)
        annotated = signed_in.get(f"{address}&annotation=patient,technique", headers=PNG)
        assert picture(plain.content).shape == picture(annotated.content).shape == (256, 512)
        assert plain.content != annotated.content

    def test_no_room_for_the_annotation(self, signed_in: TestClient, one: Dataset) -> None:
        answer = signed_in.get(f"{instance_of(one)}/rendered?annotation=patient")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    def test_icc_profile(self, signed_in: TestClient, one: Dataset) -> None:
        for kind in ("image/png", "image/jpeg", "image/webp"):
            answer = signed_in.get(f"{instance_of(one)}/rendered?iccprofile=srgb&accept={kind}")
            assert Image.open(io.BytesIO(answer.content)).info["icc_profile"]
        answer = signed_in.get(f"{instance_of(one)}/rendered?iccprofile=no", headers=PNG)
        assert "icc_profile" not in Image.open(io.BytesIO(answer.content)).info

    @pytest.mark.parametrize(
        "query",
        [
            "window=40,400", "viewport=0,5", "quality=0", "annotation=name", "iccprofile=adobergb",
            "iccprofile=srgb&accept=image/gif", "viewport=10,10,0,0,50,50",
        ],
    )  # fmt: skip
    def test_what_is_malformed_is_a_bad_request(
        self, signed_in: TestClient, one: Dataset, query: str
    ) -> None:
        answer = signed_in.get(f"{instance_of(one)}/rendered?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    def test_unknown_parameters_are_ignored(self, signed_in: TestClient, one: Dataset) -> None:
        assert signed_in.get(f"{instance_of(one)}/rendered?charset=utf-8&colour=red").status_code == 200


class TestSeveralPictures:
    def test_frames_in_the_order_of_the_list(self, signed_in: TestClient, three_frames: Dataset) -> None:
        answer = signed_in.get(f"{instance_of(three_frames)}/frames/3,1/rendered", headers=PNG)
        parts = parts_of(answer, "image/png")
        assert [part.headers["content-location"] for part in parts] == [
            f"{instance_of(three_frames)}/frames/{number}/rendered" for number in (3, 1)
        ]
        np.testing.assert_array_equal(picture(parts[0].content), PIXELS[2])
        np.testing.assert_array_equal(picture(parts[1].content), PIXELS[0])

    def test_all_frames_of_an_instance(self, signed_in: TestClient, three_frames: Dataset) -> None:
        parts = parts_of(signed_in.get(f"{instance_of(three_frames)}/rendered"), "image/jpeg")
        assert [part.media_type for part in parts] == ["image/jpeg"] * 3

    def test_a_series_in_the_order_of_its_slices(self, signed_in: TestClient, slices: list[Dataset]) -> None:
        for level in (series_of, study_of):
            parts = parts_of(signed_in.get(f"{level(slices[0])}/rendered", headers=PNG), "image/png")
            assert [part.headers["content-location"] for part in parts] == [
                f"{instance_of(one)}/frames/1/rendered" for one in slices
            ]

    def test_a_slice_that_cannot_be_shown_is_told(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        good, bad = volume(2, **WINDOW)
        folder.write("a", good)
        bad.Rows = 9999  # more than there is
        folder.write("b", bad)
        index()
        parts = parts_of(signed_in.get(f"{series_of(good)}/rendered"), "image/jpeg")
        assert [part.media_type for part in parts] == ["image/jpeg", "application/problem+json"]
        assert b"undecodable_frame" in parts[1].content

    def test_not_modified(self, signed_in: TestClient, slices: list[Dataset]) -> None:
        first = signed_in.get(f"{series_of(slices[0])}/rendered")
        assert first.headers["ETag"].startswith('W/"')
        answer = signed_in.get(
            f"{series_of(slices[0])}/rendered", headers={"If-None-Match": first.headers["ETag"]}
        )
        assert answer.status_code == 304

    @pytest.mark.parametrize("frames", ["0", "4", "1,9"])
    def test_a_frame_that_does_not_exist(
        self, signed_in: TestClient, three_frames: Dataset, frames: str
    ) -> None:
        answer = signed_in.get(f"{instance_of(three_frames)}/frames/{frames}/rendered")
        assert (answer.status_code, answer.json()["code"]) == (404, "slice_not_found")


class TestNotThere:
    @pytest.mark.parametrize(
        ("level", "code"),
        [(study_of, "study_not_found"), (series_of, "series_not_found"), (instance_of, "instance_not_found")],
    )
    def test_unknown(self, signed_in: TestClient, one: Dataset, level: Any, code: str) -> None:
        other = image(series="other")
        answer = signed_in.get(f"{level(other)}/rendered")
        assert (answer.status_code, answer.json()["code"]) == (404, code)

    def test_a_series_of_another_study(self, signed_in: TestClient, one: Dataset) -> None:
        answer = signed_in.get(f"/dicomweb/studies/{uid('x')}/series/{one.SeriesInstanceUID}/rendered")
        assert answer.status_code == 404

    def test_no_uid(self, signed_in: TestClient) -> None:
        assert signed_in.get("/dicomweb/studies/abc/rendered").status_code == 400

    def test_a_removed_file(self, signed_in: TestClient, one: Dataset, folder: Folder) -> None:
        folder.write("b", image(series="other"))  # an empty folder is another matter
        (folder.path / "a").unlink()
        answer = signed_in.get(f"{instance_of(one)}/rendered")
        assert (answer.status_code, answer.json()["code"]) == (410, "file_gone")

    def test_a_file_that_is_replaced_after_its_picture_was_made(
        self, signed_in: TestClient, one: Dataset, folder: Folder
    ) -> None:
        assert signed_in.get(f"{instance_of(one)}/rendered").status_code == 200
        folder.write("a", image(PatientID="another"))
        answer = signed_in.get(f"{instance_of(one)}/rendered")
        assert (answer.status_code, answer.json()["code"]) == (410, "file_replaced")


def test_a_file_is_opened_once_for_each_answer(
    signed_in: TestClient, one: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[bytes] = []
    open_file = DataDirectory._descriptor

    def count(directory: DataDirectory, path: bytes) -> int:
        if "AnyIO" in threading.current_thread().name:  # the index has a thread of its own
            opened.append(path)
        return open_file(directory, path)

    monkeypatch.setattr(DataDirectory, "_descriptor", count)
    first = signed_in.get(f"{instance_of(one)}/rendered")
    assert opened == [b"a"]
    assert signed_in.get(f"{instance_of(one)}/rendered").content == first.content
    assert opened == [b"a", b"a"]
    headers = {"If-None-Match": first.headers["ETag"]}
    assert signed_in.get(f"{instance_of(one)}/rendered", headers=headers).status_code == 304
    assert opened == [b"a", b"a", b"a"]


class TestDocuments:
    @pytest.fixture
    def document(self, folder: Folder, index: Index) -> Dataset:
        dataset = image(SOPClassUID="1.2.840.10008.5.1.4.1.1.104.1", Modality="DOC")
        for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"):
            delattr(dataset, keyword)
        dataset.EncapsulatedDocument = b"%PDF-1.7 odd"
        dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
        folder.write("a", dataset)
        index()
        return dataset

    def test_a_pdf_is_given_as_it_is(self, signed_in: TestClient, document: Dataset) -> None:
        for accept in ("application/pdf", "*/*"):
            answer = signed_in.get(f"{instance_of(document)}/rendered", headers={"Accept": accept})
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
            assert answer.content == b"%PDF-1.7 odd"

    def test_a_pdf_is_no_picture(self, signed_in: TestClient, document: Dataset) -> None:
        answer = signed_in.get(f"{instance_of(document)}/rendered", headers={"Accept": "image/jpeg"})
        assert answer.status_code == 406
        assert "application/pdf" in answer.json()["detail"]
