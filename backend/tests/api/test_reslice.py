"""Planes of a volume as pictures: cut from the slices themselves, or refused with the reason."""

import io
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from pydicom.dataset import Dataset
from sqlalchemy import select

from imageserver.archive import volume_reading
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from imageserver.settings import Settings
from tests.api.conftest import Index
from tests.builders import SAGITTAL, enhanced, image, uid, volume
from tests.folders import Folder

WINDOW = {"WindowCenter": 128, "WindowWidth": 256}  # maps 0 … 255 to themselves (PS3.3 C.11.2.1.2.1)


def picture(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.array(Image.open(io.BytesIO(answer.content)))


def cube(count: int = 6, *, seed: int = 1, **attributes: Any) -> tuple[np.ndarray, list[Dataset]]:
    """Slices 0.5 mm apart with pixels of 0.5 mm, so that planes are the stacked slices themselves."""
    values = np.random.default_rng(seed).integers(0, 256, (count, 8, 8)).astype(np.uint16)
    slices = []
    for k, pixels in enumerate(values):
        position = [0, 0, round(0.5 * k, 6)]
        slices.append(
            image(pixels, instance=k + 1, ImagePositionPatient=position, **{**WINDOW, **attributes})
        )
    return values, slices


@pytest.fixture
def voxels(folder: Folder, signed_in: TestClient, index: Index) -> np.ndarray:
    values, slices = cube()
    folder.write_all(slices)
    index()
    return values


class TestPlanes:
    def test_anonymous(self, client: TestClient) -> None:
        answer = client.get("/reslice?plane=axial")
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    def test_the_axial_plane_is_the_slice(self, signed_in: TestClient, voxels: np.ndarray) -> None:
        for number in range(6):
            answer = signed_in.get(f"/reslice?plane=axial&index={number}")
            np.testing.assert_array_equal(picture(answer), voxels[number])
            assert answer.content == signed_in.get(f"/slice?index={number}").content

    def test_a_coronal_plane_is_the_stacked_rows_head_up(
        self, signed_in: TestClient, voxels: np.ndarray
    ) -> None:
        answer = signed_in.get("/reslice?plane=coronal&index=2")
        np.testing.assert_array_equal(picture(answer), voxels[::-1, 2, :])

    def test_without_an_index_the_middle_one(self, signed_in: TestClient, voxels: np.ndarray) -> None:
        answer = signed_in.get("/reslice?plane=sagittal")
        np.testing.assert_array_equal(picture(answer), voxels[::-1, :, 7 - 4])
        assert answer.headers["X-Slice-Index"] == "4"

    def test_headers_say_what_is_shown(self, signed_in: TestClient, voxels: np.ndarray) -> None:
        headers = signed_in.get("/reslice?plane=coronal&index=2").headers
        expected = {
            "X-Slice-Index": "2",
            "X-Slice-Count": "8",
            "X-Slice-Stack": "0",
            "X-Slice-Position": "1",
            "X-Slab-Planes": "1",
            "X-Pixel-Spacing": "0.5,0.5",
            "X-Orientation": "R,L,H,F",
            "X-Window-Center": "128",
            "X-Window-Width": "256",
            "X-Window-Source": "file",
            "Cache-Control": "private, no-cache",
            "Content-Type": "image/png",
        }
        assert {name: headers[name] for name in expected} == expected

    def test_the_plane_nearest_to_a_position(self, signed_in: TestClient, voxels: np.ndarray) -> None:
        answer = signed_in.get("/reslice?plane=coronal&position_mm=1.2")
        assert answer.headers["X-Slice-Index"] == "2"
        answer = signed_in.get("/reslice?plane=coronal&position_mm=5")
        assert (answer.status_code, answer.json()["code"]) == (404, "slice_not_found")

    def test_a_window_that_was_asked_for(self, signed_in: TestClient, voxels: np.ndarray) -> None:
        answer = signed_in.get("/reslice?plane=coronal&index=2&center=50&width=1")
        np.testing.assert_array_equal(picture(answer), np.where(voxels[::-1, 2] > 49.5, 255, 0))
        assert answer.headers["X-Window-Source"] == "request"

    @pytest.mark.parametrize(("name", "reduce"), [("maximum", np.max), ("minimum", np.min)])
    def test_slabs(self, signed_in: TestClient, voxels: np.ndarray, name: str, reduce: Any) -> None:
        answer = signed_in.get(f"/reslice?plane=coronal&index=3&slab_mm=2&projection={name}")
        np.testing.assert_array_equal(picture(answer), reduce(voxels[::-1, 1:6], axis=1))
        assert answer.headers["X-Slab-Planes"] == "5"

    def test_the_sum_of_a_thick_slab_does_not_run_over(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        slices = volume(9, WindowCenter=32768, WindowWidth=65536)
        for dataset in slices:
            dataset.PixelData = np.full((8, 8), 65535, np.uint16).tobytes()
        folder.write_all(slices)
        index()
        answer = signed_in.get("/reslice?plane=axial&slab_mm=100&projection=average")
        assert set(picture(answer).ravel()) == {255}

    def test_each_slice_has_its_own_rescale(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        # As in PET: the same stored value means more in each further slice.
        slices = volume(4, spacing=0.5, **WINDOW)
        for number, dataset in enumerate(slices, start=1):
            dataset.PixelData = np.full((8, 8), 10, np.uint16).tobytes()
            dataset.RescaleSlope, dataset.RescaleIntercept = number, 0
        folder.write_all(slices)
        index()
        column = picture(signed_in.get("/reslice?plane=coronal"))[:, 0]
        assert column.tolist() == [40, 30, 20, 10]

    def test_frames_of_one_file(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        values = np.arange(4 * 16, dtype=np.uint16).reshape(4, 4, 4)
        heights = (1.0, 0.0, 1.5, 0.5)
        folder.write("a", enhanced([(0, 0, z) for z in heights], values, **WINDOW))
        index()
        found = picture(signed_in.get("/reslice?plane=coronal&index=1"))
        np.testing.assert_array_equal(found, values[[2, 0, 3, 1], 1])

    def test_black_and_white_turned_around(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        values, slices = cube(PhotometricInterpretation="MONOCHROME1")
        folder.write_all(slices)
        index()
        found = picture(signed_in.get("/reslice?plane=coronal&index=2"))
        np.testing.assert_array_equal(found, 255 - values[::-1, 2])

    def test_padding_is_black(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        values, slices = cube(PixelPaddingValue=7, PhotometricInterpretation="MONOCHROME1")
        for pixels, dataset in zip(values, slices, strict=True):
            pixels[:2] = 7
            dataset.PixelData = pixels.tobytes()
        folder.write_all(slices)
        index()
        assert not picture(signed_in.get("/reslice?plane=coronal&index=1")).any()

    def test_without_a_window_in_the_file(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write_all(volume(4))
        index()
        assert signed_in.get("/reslice?plane=coronal").headers["X-Window-Source"] == "guessed"

    def test_sizes_are_those_that_the_volume_tells(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write_all(volume(5, PixelSpacing=[0.5, 0.75], step=(0.0, 0.7, 2.0)))
        index()
        (stack,) = signed_in.get(f"/volumes/{uid('series')}").json()["stacks"]
        assert stack["planes_refused"] is None
        for name, plane in stack["planes"].items():
            answer = signed_in.get(f"/reslice?plane={name}&index={plane['count'] - 1}")
            assert picture(answer).shape == (plane["rows"], plane["columns"])
            assert answer.headers["X-Orientation"] == ",".join(plane["orientation_labels"].values())
            last = plane["first_position_mm"] + (plane["count"] - 1) * plane["slice_spacing_mm"]
            assert float(answer.headers["X-Slice-Position"]) == pytest.approx(last, abs=1e-3)


class TestRefusals:
    @pytest.mark.parametrize(
        "query",
        ["", "plane=oblique", "plane=axial&index=-1", "plane=axial&slab_mm=-1", "plane=axial&slab_mm=501",
         "plane=axial&slab_mm=nan", "plane=axial&projection=mean", "plane=axial&center=40", "plane=axial&width=0",
         "plane=axial&index=1&position_mm=2", "plane=axial&position_mm=inf", "plane=axial&format=gif",
         "plane=axial&series=x", "plane=axial&stack=-1"],
    )  # fmt: skip
    def test_malformed_parameters(self, signed_in: TestClient, query: str) -> None:
        answer = signed_in.get(f"/reslice?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")

    @pytest.mark.parametrize("query", ["index=6", "stack=1", "index=" + "9" * 30, "position_mm=1e6"])
    def test_out_of_range(self, signed_in: TestClient, voxels: np.ndarray, query: str) -> None:
        answer = signed_in.get(f"/reslice?plane=axial&{query}")
        assert (answer.status_code, answer.json()["code"]) == (404, "slice_not_found")

    @pytest.mark.parametrize(
        ("datasets", "reason"),
        [
            ([image()], "one_slice"),
            (volume(3, orientation=SAGITTAL, PixelSpacing=None), "no_pixel_spacing"),
            ([image(instance=n, ImagePositionPatient=None) for n in (1, 2, 3)], "not_a_volume"),
            ([*volume(3, orientation=SAGITTAL), image(instance=9), image(instance=8)], "localizer"),
            (volume(3, pixels=np.zeros((4, 4, 3), np.uint8)), "colour"),
        ],
    )
    def test_series_that_are_no_volumes(
        self, signed_in: TestClient, folder: Folder, index: Index, datasets: list[Dataset], reason: str
    ) -> None:
        folder.write_all(datasets)
        index()
        answer = signed_in.get("/reslice?plane=axial").json()
        assert (answer["status"], answer["code"], answer["reason"]) == (422, "not_a_volume", reason)
        stack, *_ = signed_in.get(f"/volumes/{uid('series')}").json()["stacks"]
        assert (stack["planes"], stack["planes_refused"]["code"]) == (None, reason)
        assert stack["planes_refused"]["message"] in answer["detail"]

    def test_a_damaged_slice_is_named(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        _, slices = cube()
        paths = folder.write_all(slices)
        folder.write(paths[3].name, paths[3].read_bytes()[:-40])
        index()
        for _ in range(2):  # the second time it is remembered
            answer = signed_in.get("/reslice?plane=axial").json()
            assert (answer["status"], answer["code"]) == (422, "undecodable_frame")
            assert answer["detail"].startswith("Slice 4 of 6 cannot be read: ")

    def test_a_slice_that_was_removed(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        _, slices = cube()
        paths = folder.write_all(slices)
        index()
        assert signed_in.get("/reslice?plane=axial").status_code == 200
        paths[3].unlink()
        answer = signed_in.get("/reslice?plane=axial")
        assert (answer.status_code, answer.json()["code"]) in ((410, "file_gone"), (422, "not_a_volume"))


class TestCaching:
    def test_not_modified(self, signed_in: TestClient, voxels: np.ndarray) -> None:
        etag = signed_in.get("/reslice?plane=coronal").headers["ETag"]
        answer = signed_in.get("/reslice?plane=coronal", headers={"If-None-Match": etag})
        assert (answer.status_code, answer.content, answer.headers["X-Slice-Count"]) == (304, b"", "8")

    @pytest.mark.parametrize(
        "query", ["index=1", "slab_mm=3", "center=3&width=4", "format=jpeg", "slab_mm=3&projection=maximum"]
    )
    def test_the_tag_changes_with_the_picture(
        self, signed_in: TestClient, voxels: np.ndarray, query: str
    ) -> None:
        plain = signed_in.get("/reslice?plane=coronal").headers["ETag"]
        assert signed_in.get(f"/reslice?plane=coronal&{query}").headers["ETag"] != plain

    def test_changed_slices_are_read_again(
        self, signed_in: TestClient, folder: Folder, index: Index, voxels: np.ndarray
    ) -> None:
        before = signed_in.get("/reslice?plane=coronal&index=2")
        values, slices = cube(seed=2)
        folder.write_all(slices)
        index()
        answer = signed_in.get("/reslice?plane=coronal&index=2")
        np.testing.assert_array_equal(picture(answer), values[::-1, 2])
        assert answer.headers["ETag"] != before.headers["ETag"]

    def test_the_slices_are_read_once(
        self, signed_in: TestClient, voxels: np.ndarray, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        signed_in.get("/reslice?plane=coronal")
        monkeypatch.setattr(volume_reading, "write_voxels", None)
        assert signed_in.get("/reslice?plane=sagittal").status_code == 200


class TestReading:
    @staticmethod
    def until_held(client: TestClient, address: str) -> Any:
        """Ask until three slices are read, which may take longer than one answer waits."""
        while (answer := client.get(address)).json().get("done") != 3:
            assert answer.status_code == 503
        return answer

    @pytest.fixture
    def held(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
        """Slices are read only as far as the third until this is set."""
        go_on, write = threading.Event(), volume_reading.write_voxels

        def slowly(stream: Any, sources: Any, directory: Any, decoders: Any, on_slice: Any) -> None:
            def counted(done: int) -> None:
                on_slice(done)
                if done == 3:
                    go_on.wait(60)

            write(stream, sources, directory, decoders, counted)

        monkeypatch.setattr(volume_reading, "write_voxels", slowly)
        monkeypatch.setattr(volume_reading, "_WAIT_SECONDS", 0.3)
        yield go_on
        go_on.set()

    def test_progress_is_told_meanwhile(
        self,
        signed_in: TestClient,
        voxels: np.ndarray,
        held: threading.Event,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        answer = self.until_held(signed_in, "/reslice?plane=coronal")
        body = answer.json()
        assert (answer.status_code, body["code"], body["done"], body["count"]) == (503, "busy", 3, 6)
        assert "Retry-After" in answer.headers
        held.set()
        monkeypatch.setattr(volume_reading, "_WAIT_SECONDS", 60)
        assert signed_in.get("/reslice?plane=coronal").status_code == 200

    def test_one_volume_does_not_keep_others_from_being_shown(
        self, signed_in: TestClient, voxels: np.ndarray, held: threading.Event
    ) -> None:
        signed_in.get("/reslice?plane=coronal")
        assert signed_in.get("/slice").status_code == 200

    def test_only_so_many_volumes_wait(
        self, signed_in: TestClient, folder: Folder, index: Index, held: threading.Event,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        monkeypatch.setattr(volume_reading, "_MOST_QUEUED", 1)
        for name in ("one", "other"):
            folder.write_all(volume(4, series=name), prefix=name)
        index()
        assert self.until_held(signed_in, f"/reslice?plane=axial&series={uid('one')}").status_code == 503
        refused = signed_in.get(f"/reslice?plane=axial&series={uid('other')}")
        assert (refused.status_code, refused.json().get("done")) == (503, None)

    def test_no_room(
        self, signed_in: TestClient, voxels: np.ndarray, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        monkeypatch.setattr("imageserver.archive.scratch._FREE_BYTES", 1 << 62)
        answer = signed_in.get("/reslice?plane=coronal")
        assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
        assert list((settings.state_dir / "volumes").iterdir()) == []

    def test_what_made_room_is_held_no_longer(
        self, app: FastAPI, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        for name in ("a", "b"):
            folder.write_all(cube(series=name)[1], prefix=name)
        index()
        reslices = app.state.archive.reslices
        reslices._reader._scratch.most_bytes = 6 * 8 * 8 * 4  # one volume
        for name in ("a", "b"):
            picture(signed_in.get(f"/reslice?plane=axial&series={uid(name)}"))
        assert len(reslices._reader._opened) == 1

    def test_nothing_is_left_behind(
        self, app: FastAPI, client: TestClient, signed_in: TestClient, voxels: np.ndarray, settings: Settings
    ) -> None:
        signed_in.get("/reslice?plane=coronal")
        folder = settings.state_dir / "volumes"
        assert len(list(folder.iterdir())) == 1
        assert folder.stat().st_mode & 0o777 == 0o700
        app.state.archive.reslices.stop()
        assert list(folder.iterdir()) == []


def test_the_access_is_recorded(signed_in: TestClient, voxels: np.ndarray, database: Database) -> None:
    signed_in.get("/reslice?plane=coronal")
    with database.reading() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.kind == "reslice")).all()
    assert [(event.outcome, event.series_instance_uid) for event in events] == [("success", uid("series"))]
