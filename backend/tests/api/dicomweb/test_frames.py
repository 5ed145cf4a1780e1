"""Frames of one instance by number (PS3.18 10.4.1.1.6)."""

import json
import threading
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import RLELossless
from sqlalchemy import event, select

from imageserver.archive import catalogue
from imageserver.archive import frames as archive_frames
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.api.conftest import Index
from tests.api.multipart_answers import parts_of
from tests.builders import image, to_bytes, uid
from tests.folders import Folder

PIXELS = np.arange(3 * 64 * 64, dtype=np.uint16).reshape(3, 64, 64)
ALONE = {"Accept": "application/octet-stream"}


@pytest.fixture
def three_frames(folder: Folder, index: Index) -> Dataset:
    dataset = image(PIXELS, NumberOfFrames=3)
    folder.write("a", dataset)
    index()
    return dataset


def address(dataset: Dataset, frames: str, **other: str) -> str:
    uids = {
        name: str(dataset[name].value) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    }
    uids |= other
    return (
        f"/dicomweb/studies/{uids['StudyInstanceUID']}/series/{uids['SeriesInstanceUID']}"
        f"/instances/{uids['SOPInstanceUID']}/frames/{frames}"
    )


class TestLists:
    @pytest.mark.parametrize(("asked", "numbers"), [("1", [1]), ("2,3", [2, 3]), ("3,1,3", [3, 1, 3])])
    def test_in_the_order_of_the_list(
        self, signed_in: TestClient, three_frames: Dataset, asked: str, numbers: list[int]
    ) -> None:
        answer = signed_in.get(address(three_frames, asked))
        parts = parts_of(answer)
        assert [part.content for part in parts] == [PIXELS[number - 1].tobytes() for number in numbers]
        assert [part.headers["content-location"] for part in parts] == [
            address(three_frames, str(number)) for number in numbers
        ]
        assert answer.headers["Content-Length"] == str(len(answer.content))

    @pytest.mark.parametrize("asked", ["0", "4", "1,4", "99999999999999999999"])
    def test_a_frame_that_does_not_exist(
        self, signed_in: TestClient, three_frames: Dataset, asked: str
    ) -> None:
        answer = signed_in.get(address(three_frames, asked))
        assert (answer.status_code, answer.json()["code"]) == (404, "slice_not_found")

    @pytest.mark.parametrize(
        "asked", ["x", "1,", ",1", "1;2", "-1", "1-3", "1,x", "9" * 5000, ",".join(["1"] * 1001)]
    )
    def test_a_malformed_list(self, signed_in: TestClient, three_frames: Dataset, asked: str) -> None:
        answer = signed_in.get(address(three_frames, asked))
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

    @pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
    def test_uids_that_do_not_belong_together(
        self, signed_in: TestClient, three_frames: Dataset, keyword: str
    ) -> None:
        answer = signed_in.get(address(three_frames, "1", **{keyword: "1.2.3"}))
        assert (answer.status_code, answer.json()["code"]) == (404, "instance_not_found")

    def test_an_instance_without_pixels(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        dataset = image(PixelData=None, Rows=None)
        folder.write("a", dataset)
        index()
        answer = signed_in.get(address(dataset, "1"))
        assert (answer.status_code, answer.json()["code"]) == (404, "slice_not_found")


class TestForms:
    @pytest.fixture
    def rle(self, folder: Folder, index: Index) -> Dataset:
        dataset = image(PIXELS, NumberOfFrames=3)
        dataset.file_meta = Dataset()
        dataset.compress(RLELossless, PIXELS, generate_instance_uid=False)
        folder.write("a", to_bytes(dataset, RLELossless))
        index()
        return dataset

    def test_alone(self, signed_in: TestClient, three_frames: Dataset) -> None:
        answer = signed_in.get(address(three_frames, "2"), headers=ALONE)
        assert answer.content == PIXELS[1].tobytes()
        assert (
            answer.headers["Content-Type"] == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
        )
        assert answer.headers["Content-Length"] == str(len(answer.content))
        assert answer.headers["Content-Location"] == address(three_frames, "2")

    def test_as_stored(self, signed_in: TestClient, rle: Dataset) -> None:
        accept = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
        parts = parts_of(signed_in.get(address(rle, "1,2,3"), headers={"Accept": accept}))
        stored = list(generate_frames(rle.PixelData, number_of_frames=3))
        assert [part.content for part in parts] == stored
        assert {part.parameters["transfer-syntax"] for part in parts} == {RLELossless}

    def test_decoded_for_who_names_no_syntax(self, signed_in: TestClient, rle: Dataset) -> None:
        parts = parts_of(signed_in.get(address(rle, "1,2,3")))
        assert [part.content for part in parts] == [frame.tobytes() for frame in PIXELS]
        assert {part.parameters["transfer-syntax"] for part in parts} == {"1.2.840.10008.1.2.1"}

    def test_another_syntax_is_refused_with_what_there_is(self, signed_in: TestClient, rle: Dataset) -> None:
        accept = "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.4.90"
        answer = signed_in.get(address(rle, "1"), headers={"Accept": accept})
        assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
        assert RLELossless in answer.json()["detail"]


class TestTrouble:
    def test_alone_it_is_the_answer(
        self, signed_in: TestClient, three_frames: Dataset, folder: Folder, database: Database
    ) -> None:
        (folder.path / "a").unlink()
        folder.write("other", image(instance=2))  # so that the folder is not empty
        answer = signed_in.get(address(three_frames, "1"), headers=ALONE)
        assert (answer.status_code, answer.json()["code"]) == (410, "file_gone")
        with database.reading() as session:
            event = session.scalars(select(AuditEvent).where(AuditEvent.kind == "frames")).one()
        assert (event.outcome, event.series_instance_uid) == ("failure", uid("series"))

    def test_among_others_it_is_a_part(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        dataset = image(PIXELS, NumberOfFrames=3)
        dataset.file_meta = Dataset()
        dataset.compress(RLELossless, PIXELS, generate_instance_uid=False)
        frames = list(generate_frames(dataset.PixelData, number_of_frames=3))
        content = to_bytes(dataset, RLELossless)
        at = content.index(frames[1])
        folder.write("a", content[:at] + b"\xff" * len(frames[1]) + content[at + len(frames[1]) :])
        index()
        parts = parts_of(signed_in.get(address(dataset, "1,2,3")))
        assert [part.media_type.rpartition("/")[2] for part in parts] == [
            "octet-stream",
            "problem+json",
            "octet-stream",
        ]
        assert json.loads(parts[1].content)["frame_number"] == 2
        assert parts[2].content == PIXELS[2].tobytes()


def test_asked_for_again(signed_in: TestClient, three_frames: Dataset) -> None:
    first = signed_in.get(address(three_frames, "1"), headers=ALONE)
    assert first.headers["Cache-Control"] == "private, no-cache"
    known: dict[str, Any] = {"If-None-Match": first.headers["ETag"]}
    assert signed_in.get(address(three_frames, "1"), headers=ALONE | known).status_code == 304
    assert signed_in.get(address(three_frames, "2"), headers=ALONE | known).status_code == 200
    assert signed_in.get(address(three_frames, "1"), headers=known).status_code == 200  # another form


class TestCost:
    """What a frame costs when its file has been read before; times depend on the machine, these numbers do not."""

    def asked_again(
        self,
        app: FastAPI,
        signed_in: TestClient,
        path: str,
        headers: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> list[str]:
        """Ask twice; return what the second time asked of the database."""
        monkeypatch.setattr(catalogue, "FRESH_SECONDS", 60.0)
        first = signed_in.get(path, headers=headers)
        monkeypatch.setattr(archive_frames, "read_header", lambda _: pytest.fail("the header was read again"))
        asked: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
            if "worker" in threading.current_thread().name:  # what follows the folder asks in its own time
                asked.append(statement.split()[0])

        event.listen(app.state.database.engine, "before_cursor_execute", note)
        again = signed_in.get(path, headers=headers)
        event.remove(app.state.database.engine, "before_cursor_execute", note)
        assert (first.status_code, again.status_code) == (200, 200)
        assert [part.content for part in parts_of(first)] == [part.content for part in parts_of(again)]
        return [word for word in asked if word != "BEGIN"]

    def test_one_question_for_the_session(
        self, app: FastAPI, signed_in: TestClient, three_frames: Dataset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.asked_again(app, signed_in, address(three_frames, "2"), {}, monkeypatch) == ["SELECT"]

    def test_compressed(
        self,
        app: FastAPI,
        signed_in: TestClient,
        folder: Folder,
        index: Index,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        dataset = image(PIXELS, NumberOfFrames=3)
        dataset.file_meta = Dataset()
        dataset.compress(RLELossless, PIXELS, generate_instance_uid=False)
        folder.write("a", to_bytes(dataset, RLELossless))
        index()
        stored = {"Accept": 'multipart/related; type="application/octet-stream"; transfer-syntax=*'}
        assert self.asked_again(app, signed_in, address(dataset, "3"), stored, monkeypatch) == ["SELECT"]

    def test_a_replaced_file_is_noticed_though_it_was_read_before(
        self, signed_in: TestClient, folder: Folder, three_frames: Dataset
    ) -> None:
        assert signed_in.get(address(three_frames, "1"), headers=ALONE).status_code == 200
        folder.write("a", image(PIXELS[::-1].copy(), NumberOfFrames=3))
        assert signed_in.get(address(three_frames, "1"), headers=ALONE).status_code == 410
