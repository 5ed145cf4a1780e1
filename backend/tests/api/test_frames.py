"""The pixels of a run of slices: byte for byte those of the files, and never the end of all for one that is bad."""

import json
import os
import time
from typing import Any

import anyio
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless
from sqlalchemy import select
from starlette.types import Message

from imageserver.archive.frames import FrameRun
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from imageserver.errors import DatabaseUnavailable
from tests.api.conftest import Index
from tests.api.multipart_answers import parts_of
from tests.builders import enhanced, image, to_bytes, uid, volume
from tests.folders import Folder

SERIES = uid("series")
EXPLICIT = "1.2.840.10008.1.2.1"


def slices(client: TestClient, series: str = SERIES, **params: Any) -> Any:
    answer = client.get(f"/volumes/{series}/slices", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def frames(client: TestClient, series: str = SERIES, **params: Any) -> Any:
    return client.get(f"/volumes/{series}/frames", params=params)


def big_volume(count: int) -> list[Dataset]:
    """Slices of 64 x 64, each of other values."""
    made = volume(count)
    for place, dataset in enumerate(made):
        pixels = np.arange(4096, dtype=np.uint16).reshape(64, 64) + place
        dataset.Rows, dataset.Columns, dataset.PixelData = 64, 64, pixels.tobytes()
    return made


class TestWhoAndWhat:
    def test_anonymous(self, client: TestClient) -> None:
        answer = frames(client)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    def test_unknown_series(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image())
        index()
        answer = frames(signed_in, "1.2.3")
        assert (answer.status_code, answer.json()["code"]) == (404, "series_not_found")

    @pytest.mark.parametrize("query", ["first=3", "first=2&count=2", "stack=1", "first=99999999999999"])
    def test_beyond_the_end(self, signed_in: TestClient, folder: Folder, index: Index, query: str) -> None:
        folder.write_all(volume(3))
        index()
        answer = signed_in.get(f"/volumes/{SERIES}/frames?{query}")
        assert (answer.status_code, answer.json()["code"]) == (404, "slice_not_found")

    @pytest.mark.parametrize("query", ["first=-1", "count=0", "first=x", "stack=-1", "version=" + "a" * 65])
    def test_malformed(self, signed_in: TestClient, query: str) -> None:
        answer = signed_in.get(f"/volumes/{SERIES}/frames?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")


class TestPlainFrames:
    def test_in_the_order_of_the_stack(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        made = big_volume(5)
        folder.write_all(reversed(made))
        index()
        listed = slices(signed_in)
        answer = frames(signed_in, first=1, count=3, version=listed["version"])
        parts = parts_of(answer)
        assert [part.content for part in parts] == [dataset.PixelData for dataset in made[1:4]]
        assert [part.parameters for part in parts] == [{"transfer-syntax": EXPLICIT}] * 3
        study = made[0].StudyInstanceUID
        assert [part.headers["content-location"] for part in parts] == [
            f"/dicomweb/studies/{study}/series/{SERIES}/instances/{one['sop_instance_uid']}/frames/1"
            for one in listed["slices"][1:4]
        ]
        assert answer.headers["Content-Length"] == str(len(answer.content))

    def test_frames_of_one_file(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        dataset = enhanced([(0, 0, z) for z in (4, 0, 2)])
        folder.write("a", dataset)
        index()
        listed = slices(signed_in)
        assert [one["frame_number"] for one in listed["slices"]] == [2, 3, 1]
        parts = parts_of(frames(signed_in))
        length = 4 * 4 * 2
        stored = [dataset.PixelData[start : start + length] for start in (0, length, 2 * length)]
        assert [part.content for part in parts] == [stored[1], stored[2], stored[0]]


class TestOtherFrames:
    def test_compressed_as_stored_and_decoded_ones_beside_each_other(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        made = big_volume(3)
        pixels = np.frombuffer(made[1].PixelData, np.uint16).reshape(64, 64)
        rle = made[1]
        rle.file_meta = Dataset()
        rle.compress(RLELossless, pixels, generate_instance_uid=False)
        contents = [
            to_bytes(made[0]), to_bytes(rle, RLELossless), to_bytes(made[2], "1.2.840.10008.1.2.2"),
        ]  # fmt: skip
        for number, content in enumerate(contents):
            folder.write(f"{number}", content)
        index()
        answer = frames(signed_in)
        parts = parts_of(answer)
        assert [part.parameters["transfer-syntax"] for part in parts] == [EXPLICIT, RLELossless, EXPLICIT]
        assert [len(part.parameters) for part in parts] == [1, 1, 6]
        assert parts[2].content == made[2].PixelData
        assert "Content-Length" not in answer.headers


class TestBadFrames:
    @pytest.fixture
    def middle_of_five(self, folder: Folder, index: Index) -> Any:
        paths = folder.write_all(big_volume(5))
        index()
        return paths[2]

    def the_others_are_whole(self, answer: Any, code: str) -> dict[str, Any]:
        assert answer.status_code == 200
        parts = parts_of(answer)
        good = [place for place, part in enumerate(parts) if part.media_type == "application/octet-stream"]
        assert good == [0, 1, 3, 4]
        assert [parts[place].content for place in good] == [big_volume(5)[place].PixelData for place in good]
        assert parts[2].media_type == "application/problem+json"
        problem: dict[str, Any] = json.loads(parts[2].content)
        assert problem["code"] == code
        return problem

    def test_damaged_when_it_was_indexed(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        made = big_volume(5)
        for number, dataset in enumerate(made):
            content = to_bytes(dataset)
            folder.write(f"{number}", content[:-100] if number == 2 else content)
        index()
        listed = slices(signed_in)
        assert [one["refused"] is not None for one in listed["slices"]] == [False, False, True, False, False]
        assert listed["slices"][2]["refused"]["code"] == "undecodable_frame"
        problem = self.the_others_are_whole(frames(signed_in, version=listed["version"]), "undecodable_frame")
        assert problem["status"] == 422

    def test_removed_meanwhile(self, signed_in: TestClient, middle_of_five: Any) -> None:
        middle_of_five.unlink()
        problem = self.the_others_are_whole(frames(signed_in), "file_gone")
        assert problem["status"] == 410

    def test_what_may_pass_is_not_kept_for_ever(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        paths = folder.write_all(big_volume(5))
        index()
        version = slices(signed_in)["version"]
        away = paths[2].rename(paths[2].with_suffix(".away"))
        answer = frames(signed_in, first=1, count=3, version=version)
        assert parts_of(answer)[1].media_type == "application/problem+json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "ETag" not in answer.headers, "a file may be back"
        assert "immutable" in frames(signed_in, first=3, count=2, version=version).headers["Cache-Control"]
        away.rename(paths[2])
        answer = frames(signed_in, first=1, count=3, version=version)
        assert "immutable" in answer.headers["Cache-Control"]
        assert len(parts_of(answer)[1].content) == 8192

    def test_removed_after_the_length_was_told(self, signed_in: TestClient, middle_of_five: Any) -> None:
        before = frames(signed_in)
        middle_of_five.unlink()
        answer = frames(signed_in)
        assert (
            answer.headers["Content-Length"] == before.headers["Content-Length"] == str(len(answer.content))
        )
        self.the_others_are_whole(answer, "file_gone")

    def test_replaced_meanwhile(self, signed_in: TestClient, middle_of_five: Any) -> None:
        middle_of_five.write_bytes(b"something else")
        self.the_others_are_whole(frames(signed_in), "file_replaced")

    def test_an_unexpected_error(
        self, signed_in: TestClient, middle_of_five: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any) -> None:
            raise RuntimeError("Doe^Jane")

        monkeypatch.setattr("imageserver.archive.frames.read_plain_frame", fail)
        monkeypatch.setattr("imageserver.archive.frames.encode_frame", fail)
        answer = frames(signed_in)
        assert [json.loads(part.content)["code"] for part in parts_of(answer)] == ["internal"] * 5
        assert b"Doe" not in answer.content


class TestVersions:
    def test_another_one_is_refused(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        paths = folder.write_all(volume(3))
        index()
        version = slices(signed_in)["version"]
        assert frames(signed_in, version=version).status_code == 200
        os.utime(paths[1], (1e9, 1e9))
        index()
        answer = frames(signed_in, version=version)
        assert (answer.status_code, answer.json()["code"]) == (409, "volume_changed")
        assert slices(signed_in)["version"] != version

    def test_a_slice_more(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        made = volume(4)
        folder.write_all(made[:3])
        index()
        version = slices(signed_in)["version"]
        folder.write("more", made[3])
        index()
        assert slices(signed_in)["version"] != version

    def test_with_the_right_one_the_answer_may_be_kept(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write_all(volume(3))
        index()
        answer = frames(signed_in, version=slices(signed_in)["version"])
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        # The token is another one each time: no cache would find the answer again.
        assert "authorization" not in answer.headers["Vary"].lower()

    def test_without_it_the_answer_is_asked_for_again(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write_all(volume(3))
        index()
        answer = frames(signed_in)
        assert answer.headers["Cache-Control"] == "private, no-cache"
        again = signed_in.get(f"/volumes/{SERIES}/frames", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = signed_in.get(
            f"/volumes/{SERIES}/frames?first=1", headers={"If-None-Match": answer.headers["ETag"]}
        )
        assert other.status_code == 200

    def test_the_list_is_asked_for_again(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write_all(volume(3))
        index()
        answer = signed_in.get(f"/volumes/{SERIES}/slices")
        again = signed_in.get(f"/volumes/{SERIES}/slices", headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


class TestSlices:
    def test_places_and_sizes(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        made = big_volume(3)
        folder.write_all(reversed(made))
        index()
        listed = slices(signed_in)
        assert listed["series_instance_uid"] == SERIES
        assert listed["study_instance_uid"] == made[0].StudyInstanceUID
        assert (listed["frame_bytes"], listed["total_bytes"]) == (8192, 3 * 8192)
        assert [one["index"] for one in listed["slices"]] == [0, 1, 2]
        assert [one["sop_instance_uid"] for one in listed["slices"]] == [d.SOPInstanceUID for d in made]
        assert [one["position_mm"] for one in listed["slices"]] == [-10.0, -8.0, -6.0]
        assert slices(signed_in, stack=0)["slices"] == listed["slices"]

    def test_colour_takes_three_bytes(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        planes = np.zeros((8, 8, 3), np.uint8)
        folder.write("a", image(planes, PlanarConfiguration=1))
        index()
        assert slices(signed_in)["frame_bytes"] == 8 * 8 * 3

    @pytest.mark.parametrize("query", ["stack=1", "stack=7"])
    def test_no_such_stack(self, signed_in: TestClient, folder: Folder, index: Index, query: str) -> None:
        folder.write_all(volume(3))
        index()
        answer = signed_in.get(f"/volumes/{SERIES}/slices?{query}")
        assert (answer.status_code, answer.json()["code"]) == (404, "slice_not_found")

    def test_a_series_without_pictures(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image(PixelData=None, Rows=None))
        index()
        for what in ("slices", "frames"):
            answer = signed_in.get(f"/volumes/{SERIES}/{what}")
            assert (answer.status_code, answer.json()["code"]) == (404, "slice_not_found")


def test_one_audit_record_for_all_of_a_series(
    signed_in: TestClient, folder: Folder, index: Index, database: Database
) -> None:
    folder.write_all(volume(3))
    index()
    for first in range(3):
        frames(signed_in, first=first, count=1)
    with database.reading() as session:
        kinds = session.scalars(select(AuditEvent.kind).where(AuditEvent.series_instance_uid == SERIES)).all()
    assert kinds == ["frames"]


def test_nothing_leaves_when_the_audit_cannot_be_written(
    app: FastAPI, signed_in: TestClient, folder: Folder, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_all(volume(3))
    index()

    def fail(*_: Any, **__: Any) -> None:
        raise DatabaseUnavailable("The audit record cannot be written just now.")

    monkeypatch.setattr(app.state.access_recorder, "record_all", fail)
    for what in ("slices", "frames"):
        answer = signed_in.get(f"/volumes/{SERIES}/{what}")
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")


def test_head_tells_the_length_and_reads_no_frame(
    signed_in: TestClient, folder: Folder, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_all(big_volume(3))
    index()
    length = len(frames(signed_in).content)
    monkeypatch.setattr("imageserver.archive.frames.read_plain_frame", lambda *_: pytest.fail("read"))
    answer = signed_in.head(f"/volumes/{SERIES}/frames")
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, str(length), b"")


def test_pixels_are_not_compressed(signed_in: TestClient, folder: Folder, index: Index) -> None:
    folder.write_all(big_volume(3))
    index()
    answer = signed_in.get(f"/volumes/{SERIES}/frames", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


def test_a_client_that_goes_away_stops_the_reading(
    app: FastAPI, signed_in: TestClient, folder: Folder, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked of the application itself, with a receiver that hangs up after the first part."""
    folder.write_all(big_volume(200))
    index()
    count = [0]
    encode = FrameRun.read

    def counted(*arguments: Any) -> Any:
        count[0] += 1
        time.sleep(0.005)
        return encode(*arguments)

    monkeypatch.setattr(FrameRun, "read", counted)
    token = signed_in.headers["Authorization"].encode()
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "query_string": b"",
        "path": f"/volumes/{SERIES}/frames", "raw_path": f"/volumes/{SERIES}/frames".encode(), "root_path": "",
        "headers": [(b"host", b"localhost"), (b"authorization", token)], "asgi": {"spec_version": "2.3"},
        "client": ("192.0.2.7", 1), "server": ("localhost", 8000),
    }  # fmt: skip

    async def ask() -> None:
        has_body = anyio.Event()
        is_asked = False

        async def receive() -> Message:
            nonlocal is_asked
            if not is_asked:
                is_asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await has_body.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message.get("body"):
                has_body.set()

        await app(scope, receive, send)

    anyio.run(ask)
    assert 1 <= count[0] < 100
