"""The pixels of a run of slices: byte for byte those of the files, and never the end of all for one that is bad."""

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from pydicom.dataset import Dataset

from tests.api.conftest import Index
from tests.api.multipart_answers import parts_of
from tests.builders import enhanced, image, uid, volume
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
