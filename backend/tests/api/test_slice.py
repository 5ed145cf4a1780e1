"""One slice as a picture: the right one, rendered right, never silently another."""

import io
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image
from pydicom.dataset import Dataset
from sqlalchemy import select

from imageserver.archive import pictures
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.api.conftest import Index
from tests.builders import CORONAL, SAGITTAL, enhanced, image, to_bytes, uid, volume
from tests.folders import Folder


def picture(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.array(Image.open(io.BytesIO(answer.content)))


def shown(answer: Any) -> tuple[str, int]:
    assert answer.status_code == 200, answer.text
    return answer.headers["X-SOP-Instance-UID"], int(answer.headers["X-Frame-Number"])


def place(answer: Any) -> tuple[int, int]:
    return int(answer.headers["X-Slice-Index"]), int(answer.headers["X-Slice-Count"])


def grey(value: int, **attributes: Any) -> Dataset:
    """A flat image of one stored value, shown with a window that maps values to themselves."""
    pixels = np.full((4, 6), value, np.uint16)
    # PS3.3 C.11.2.1.2.1: with c = 128 and w = 256, y = ((x - 127.5) / 255 + 0.5) * 255 = x.
    return image(pixels, WindowCenter=128, WindowWidth=256, **attributes)


class TestWhoAndWhat:
    def test_the_series_that_the_server_chose_is_named(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write("a", image())
        index()
        answer = signed_in.get("/slice")
        again = signed_in.get("/slice", headers={"If-None-Match": answer.headers["ETag"]})
        assert (answer.status_code, again.status_code) == (200, 304)
        for headers in (answer.headers, again.headers):
            assert headers["X-Series-Instance-UID"] == uid("series")
            assert headers["X-Study-Instance-UID"] == image().StudyInstanceUID

    def test_anonymous(self, client: TestClient) -> None:
        answer = client.get("/slice")
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")

    def test_an_empty_folder(self, signed_in: TestClient, index: Index) -> None:
        index()
        answer = signed_in.get("/slice")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_volume")

    def test_unknown_series(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image())
        index()
        answer = signed_in.get("/slice?series=1.2.3")
        assert (answer.status_code, answer.json()["code"]) == (404, "series_not_found")

    def test_a_series_without_pictures(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image(PixelData=None, Rows=None))
        index()
        answer = signed_in.get("/slice", params={"series": uid("series")})
        assert (answer.status_code, answer.json()["code"]) == (404, "slice_not_found")

    @pytest.mark.parametrize(
        "query",
        ["series=x", "series=1.0x", "series=..%2f..%2fetc%2fpasswd", "series=1.2%00", "stack=-1", "stack=x",
         "index=-1", "index=1.5", "index=", "center=nan&width=10", "center=1&width=inf", "center=1&width=-5",
         "center=1&width=0", "center=x&width=1", "center=40", "width=400", "format=gif", "format=", "format=PNG"],
    )  # fmt: skip
    def test_malformed_parameters(self, signed_in: TestClient, query: str) -> None:
        answer = signed_in.get(f"/slice?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")

    @pytest.mark.parametrize("query", ["index=3", "stack=1", "stack=0&index=3", "index=" + "9" * 30])
    def test_out_of_range(self, signed_in: TestClient, folder: Folder, index: Index, query: str) -> None:
        folder.write_all(volume(3))
        index()
        answer = signed_in.get(f"/slice?{query}")
        assert (answer.status_code, answer.json()["code"]) == (404, "slice_not_found")


class TestTheMiddle:
    @pytest.mark.parametrize(("count", "middle"), [(1, 0), (2, 1), (3, 1), (10, 5), (11, 5)])
    def test_count_halved(
        self, signed_in: TestClient, folder: Folder, index: Index, count: int, middle: int
    ) -> None:
        slices = volume(count)
        folder.write_all(slices)
        index()
        answer = signed_in.get("/slice")
        assert shown(answer) == (slices[middle].SOPInstanceUID, 1)
        assert place(answer) == (middle, count)

    @pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), SAGITTAL, CORONAL, (1, 0, 0, 0, 0.8, 0.6)])
    @pytest.mark.parametrize("numbers", ["reversed", "shuffled", "equal", "missing"])
    def test_position_decides_and_neither_file_name_nor_instance_number(
        self,
        signed_in: TestClient,
        folder: Folder,
        index: Index,
        orientation: tuple[float, ...],
        numbers: str,
    ) -> None:
        # The classic mistake: here file names and instance numbers tell another order than the positions.
        slices = volume(7, orientation=orientation)
        order = {"reversed": [7, 6, 5, 4, 3, 2, 1], "shuffled": [3, 7, 1, 6, 2, 5, 4]}.get(numbers, [1] * 7)
        for dataset, number in zip(slices, order, strict=True):
            dataset.InstanceNumber = None if numbers == "missing" else number
        for name, position in zip("abcdefg", (5, 0, 3, 6, 1, 4, 2), strict=True):
            folder.write(name, slices[position])
        index()
        assert shown(signed_in.get("/slice")) == (slices[3].SOPInstanceUID, 1)

    def test_frames_of_one_file_in_any_order(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        heights = (6.0, 0.0, 4.0, 2.0, 8.0)
        folder.write("enhanced", enhanced([(0, 0, z) for z in heights]))
        index()
        answer = signed_in.get("/slice")
        assert (shown(answer)[1], place(answer)) == (3, (2, 5))

    def test_a_frame_shows_its_own_pixels(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        pixels = np.stack([np.full((4, 4), value, np.uint16) for value in (10, 200, 90)])
        folder.write("a", enhanced([(0, 0, z) for z in (0, 2, 4)], pixels, WindowCenter=128, WindowWidth=256))
        index()
        greys = [int(picture(signed_in.get(f"/slice?index={n}"))[0, 0]) for n in range(3)]
        assert greys == [10, 200, 90]

    def test_a_stack_counts_by_itself(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        sagittal = volume(3, orientation=SAGITTAL)
        folder.write_all(sagittal)
        folder.write("coronal", image(instance=8, ImageOrientationPatient=list(CORONAL)))
        folder.write("axial", image(instance=9))
        index()
        default = signed_in.get("/slice")
        assert (shown(default)[0], place(default)) == (sagittal[2].SOPInstanceUID, (2, 5))
        stacks = signed_in.get(f"/volumes/{uid('series')}").json()["stacks"]
        number = next(stack["stack"] for stack in stacks if stack["count"] == 3)
        answer = signed_in.get(f"/slice?stack={number}")
        assert (shown(answer)[0], place(answer)) == (sagittal[1].SOPInstanceUID, (1, 3))

    def test_without_parameters_it_is_the_slice_that_the_volume_names(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write_all(volume(9, series="b"), prefix="b")
        folder.write_all(volume(4, series="a"), prefix="a")
        index()
        (default,) = [v for v in signed_in.get("/volumes").json()["volumes"] if v["is_default"]]
        middle = signed_in.get(f"/volumes/{default['series_instance_uid']}").json()["middle"]
        assert shown(signed_in.get("/slice"))[0] == middle["sop_instance_uid"]


class TestThePicture:
    def test_the_window_of_the_file_is_used(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        # The classic mistake: without the window, or stretched from least to greatest, these values differ.
        # PS3.3 C.11.2.1.2.1 with W 400, C 40: -160.5 and below are 0, 239.5 and above 255; 39.5 lies in the middle.
        values = np.array([[-1000, -161, -160, 39, 40, 239, 240, 3000]], np.int16)
        stored = (values + 1024).astype(np.uint16)
        folder.write(
            "a", image(stored, RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=40, WindowWidth=400)
        )
        index()
        greys = picture(signed_in.get("/slice"))[0]
        assert list(greys[[0, 1, 5, 6, 7]]) == [0, 0, 255, 255, 255]
        assert 126 <= greys[3] <= greys[4] <= 129
        assert greys[2] <= 1

    def test_a_chosen_window(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image(np.array([[0, 50, 100, 200]], np.uint16), WindowCenter=128, WindowWidth=256))
        index()
        greys = picture(signed_in.get("/slice?center=100.5&width=101"))[0]
        assert list(greys) == [0, 0, 127, 255] or list(greys) == [0, 0, 128, 255]

    @pytest.mark.parametrize(
        ("query", "media_type", "encoder"),
        [
            ("", "image/png", "PNG"),
            ("?format=jpeg", "image/jpeg", "JPEG"),
            ("?format=webp", "image/webp", "WEBP"),
        ],
    )
    def test_formats(
        self, signed_in: TestClient, folder: Folder, index: Index, query: str, media_type: str, encoder: str
    ) -> None:
        folder.write("a", grey(77))
        index()
        answer = signed_in.get(f"/slice{query}")
        opened = Image.open(io.BytesIO(answer.content))
        assert (answer.headers["Content-Type"], opened.format, opened.size) == (media_type, encoder, (6, 4))
        assert abs(int(np.array(opened.convert("L"))[0, 0]) - 77) <= 2

    def test_headers(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        noise = np.random.default_rng(1).integers(0, 256, (64, 64), np.uint8)
        folder.write("a", image(noise))  # large enough to be compressed, were it not a picture already
        index()
        answer = signed_in.get(
            "/slice", headers={"Origin": "http://localhost:3000", "Accept-Encoding": "gzip"}
        )
        assert answer.headers["Cache-Control"] == "private, no-cache"
        varies = [name.strip().lower() for name in answer.headers["Vary"].split(",")]
        assert sorted(varies) == ["authorization", "origin"]
        assert int(answer.headers["Content-Length"]) == len(answer.content)
        assert "Content-Encoding" not in answer.headers
        exposed = {name.strip() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
        assert exposed >= {"ETag", "X-Slice-Index", "X-Slice-Count", "X-SOP-Instance-UID", "X-Frame-Number"}
        assert exposed >= {
            "X-Slice-Stack",
            "X-Slice-Position",
            "X-Series-Instance-UID",
            "X-Study-Instance-UID",
        }
        assert exposed >= {"X-Window-Center", "X-Window-Width", "X-Window-Source"}

    def test_colour(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        pixels = np.zeros((4, 6, 3), np.uint8)
        pixels[..., 1] = 200
        folder.write("a", image(pixels))
        index()
        assert picture(signed_in.get("/slice"))[0, 0].tolist() == [0, 200, 0]

    def test_a_guessed_window_is_told(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image())
        index()
        detail = signed_in.get(f"/volumes/{uid('series')}").json()
        assert detail["windows"] == []
        assert "window_guessed" in [warning["code"] for warning in detail["warnings"]]

    def test_the_windows_of_the_file_are_offered(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        several = {"WindowCenter": [40, 300], "WindowWidth": [400, 1500]}
        folder.write("a", image(WindowCenterWidthExplanation=["SOFT", "BONE"], **several))
        index()
        windows = signed_in.get(f"/volumes/{uid('series')}").json()["windows"]
        assert windows[1] == {"center": 300, "width": 1500, "function": "LINEAR", "explanation": "BONE"}

    def test_an_unsupported_transfer_syntax_is_named(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        jpip = "1.2.840.10008.1.2.4.94"
        folder.write("a", to_bytes(image(), jpip))
        index()
        answer = signed_in.get("/slice")
        assert (answer.status_code, answer.json()["code"]) == (422, "unsupported_transfer_syntax")
        assert jpip in answer.json()["detail"]


class TestConditions:
    def test_not_modified(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", grey(5))
        index()
        first = signed_in.get("/slice")
        answer = signed_in.get("/slice", headers={"If-None-Match": f'"other", {first.headers["ETag"]}'})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == first.headers["ETag"]
        assert answer.headers["Cache-Control"] == "private, no-cache"

    def test_each_picture_has_its_tag(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write_all(volume(2))
        index()
        queries = ["", "?index=0", "?format=jpeg", "?center=1&width=2", "?center=1&width=3"]
        assert len({signed_in.get(f"/slice{query}").headers["ETag"] for query in queries}) == len(queries)

    def test_head(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", grey(5))
        index()
        full, head = signed_in.get("/slice"), signed_in.head("/slice")
        assert (head.status_code, head.content) == (200, b"")
        for name in ("Content-Length", "ETag", "X-Slice-Index"):
            assert head.headers[name] == full.headers[name]

    def test_other_methods(self, signed_in: TestClient) -> None:
        answer = signed_in.post("/slice")
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert "GET" in answer.headers["Allow"]


class TestFilesThatChange:
    def test_a_removed_file(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        paths = folder.write_all(volume(3))
        index()
        signed_in.get("/slice")
        paths[1].unlink()
        answer = signed_in.get("/slice")
        if answer.status_code == 200:  # the folder was looked at already
            assert place(answer)[1] == 2
        else:
            assert (answer.status_code, answer.json()["code"]) == (410, "file_gone")
            assert answer.json()["slice"]["index"] == 1
        index()
        assert place(signed_in.get("/slice"))[1] == 2

    def test_a_replaced_file_is_never_shown_from_memory(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write("a", grey(5))
        index()
        old = signed_in.get("/slice")
        assert picture(old)[0, 0] == 5
        folder.write("a", grey(99), age=60)
        answer = signed_in.get("/slice", headers={"If-None-Match": old.headers["ETag"]})
        assert (answer.status_code, answer.json()["code"]) == (410, "file_replaced") or picture(answer)[
            0, 0
        ] == 99
        index()
        new = signed_in.get("/slice")
        assert picture(new)[0, 0] == 99
        assert new.headers["ETag"] != old.headers["ETag"]

    def test_a_vanished_folder(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write_all(volume(3))
        index()
        shutil.rmtree(folder.path)
        for _ in range(2):
            answer = signed_in.get("/slice")
            assert (answer.status_code, answer.json()["code"]) == (503, "data_directory_unavailable")
            assert answer.headers["Retry-After"]
            index()

    def test_each_answer_is_wholly_the_old_or_the_new_file(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        size = 64
        contents = [
            to_bytes(image(np.full((size, size), v, np.uint16), WindowCenter=128, WindowWidth=256))
            for v in (50, 150)
        ]
        folder.write("a", contents[0])
        index()
        is_over = threading.Event()

        def replace() -> None:
            for turn in range(60):
                if turn % 2:
                    folder.write("a", contents[turn % 2], age=60 - turn)
                else:
                    folder.write("new.part", contents[0], age=60 - turn).rename(folder.path / "a")
            is_over.set()

        writer = threading.Thread(target=replace)
        writer.start()
        seen = set()
        while not is_over.is_set():
            answer = signed_in.get("/slice")
            if answer.status_code == 200:
                seen |= {tuple(np.unique(picture(answer)).tolist())}
            else:
                assert answer.status_code in (404, 410, 422), answer.text
        writer.join()
        assert seen <= {(50,), (150,)}


class TestDamagedSlices:
    def test_a_damaged_middle_is_named_with_its_neighbours(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        slices = volume(5)
        paths = folder.write_all(slices)
        whole = paths[2].read_bytes()
        folder.write("slice0002", whole[:-64])
        index()
        answer = signed_in.get("/slice")
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "undecodable_frame")
        assert problem["slice"]["sop_instance_uid"] == slices[2].SOPInstanceUID
        assert (problem["slice"]["index"], problem["slice"]["count"]) == (2, 5)
        assert [n["index"] for n in problem["neighbours"]] == [1, 3]
        assert [n["sop_instance_uid"] for n in problem["neighbours"]] == [
            slices[1].SOPInstanceUID, slices[3].SOPInstanceUID
        ]  # fmt: skip
        assert shown(signed_in.get("/slice?index=1")) == (slices[1].SOPInstanceUID, 1)

    def test_all_damaged(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        for number, dataset in enumerate(volume(3)):
            folder.write(f"{number}", to_bytes(dataset)[:200])
        index()
        answer = signed_in.get("/slice")
        assert (answer.status_code, answer.json()["code"]) == (404, "no_volume")
        assert "3 refused" in answer.json()["detail"]


class TestManyAtOnce:
    def test_fifty_requests_for_one_slice_decode_it_once(
        self, signed_in: TestClient, folder: Folder, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.write_all(volume(3))
        index()
        decoded = []
        decode = pictures.decode_frame

        def count(*arguments: Any) -> Any:
            decoded.append(arguments)
            return decode(*arguments)

        monkeypatch.setattr(pictures, "decode_frame", count)
        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda _: signed_in.get("/slice"), range(50)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        assert len(decoded) == 1

    def test_others_are_answered_meanwhile(
        self,
        app: FastAPI,
        signed_in: TestClient,
        folder: Folder,
        index: Index,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        folder.write_all(volume(20))
        index()
        may_go_on = threading.Event()
        decode = pictures.decode_frame

        def wait(*arguments: Any) -> Any:
            may_go_on.wait(60)
            return decode(*arguments)

        monkeypatch.setattr(pictures, "decode_frame", wait)
        with ThreadPoolExecutor(20) as pool:
            slices = [pool.submit(signed_in.get, f"/slice?index={n}") for n in range(20)]
            assert signed_in.get("/healthz").status_code == 200
            assert signed_in.get("/patient").status_code == 200
            assert not any(answer.done() for answer in slices)
            may_go_on.set()
            assert {answer.result().status_code for answer in slices} == {200}

    def test_who_waits_too_long_is_told(
        self, signed_in: TestClient, folder: Folder, index: Index, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder.write_all(volume((os.cpu_count() or 1) + 1))
        index()
        may_go_on = threading.Event()
        decode = pictures.decode_frame

        def wait(*arguments: Any) -> Any:
            may_go_on.wait(60)
            return decode(*arguments)

        monkeypatch.setattr(pictures, "decode_frame", wait)
        monkeypatch.setattr(pictures, "WAIT_SECONDS", 0.2)
        count = (os.cpu_count() or 1) + 1
        with ThreadPoolExecutor(count) as pool:
            slices = [pool.submit(signed_in.get, f"/slice?index={n}") for n in range(count)]
            while not any(answer.done() for answer in slices):
                threading.Event().wait(0.01)
            (refused,) = [answer.result() for answer in slices if answer.done()]
            may_go_on.set()
        assert (refused.status_code, refused.json()["code"]) == (503, "busy")
        assert refused.headers["Retry-After"]


class TestAudit:
    def outcomes(self, database: Database) -> list[tuple[str | None, str]]:
        with database.reading() as session:
            events = session.scalars(
                select(AuditEvent).where(AuditEvent.kind == "slice").order_by(AuditEvent.id)
            )
            return [(event.series_instance_uid, event.outcome) for event in events]

    def test_one_record_for_many_slices(
        self, signed_in: TestClient, folder: Folder, index: Index, database: Database
    ) -> None:
        folder.write_all(volume(3))
        index()
        for n in range(3):
            signed_in.get(f"/slice?index={n}")
        assert self.outcomes(database) == [(uid("series"), "success")]

    def test_a_slice_that_cannot_be_shown_is_a_failure(
        self, signed_in: TestClient, folder: Folder, index: Index, database: Database
    ) -> None:
        paths = folder.write_all(volume(3))
        folder.write("slice0001", paths[1].read_bytes()[:-64])
        index()
        assert signed_in.get("/slice").status_code == 422
        assert self.outcomes(database) == [(uid("series"), "failure")]


class TestPlaceAndWindow:
    """What a page writes beside the picture: of this very slice, not of the middle one."""

    def test_of_each_slice_of_a_volume(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        slices = volume(3, spacing=2.5, start=-20.0)
        for number, dataset in enumerate(slices):
            dataset.WindowCenter, dataset.WindowWidth = 40 + number, 400
        folder.write_all(slices)
        index()
        headers = [signed_in.get(f"/slice?index={n}").headers for n in range(3)]
        assert [h["X-Slice-Stack"] for h in headers] == ["0", "0", "0"]
        assert [float(h["X-Slice-Position"]) for h in headers] == [-20.0, -17.5, -15.0]
        assert [h["X-Window-Center"] for h in headers] == ["40", "41", "42"]
        assert [h["X-Window-Width"] for h in headers] == ["400"] * 3
        assert [h["X-Window-Source"] for h in headers] == ["file"] * 3

    def test_of_a_localizer_names_the_stack_of_each_image(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        for number, orientation in enumerate((SAGITTAL, CORONAL, CORONAL), start=1):
            place_mm = [0.0, -10.0 * number, 0.0]
            folder.write(
                str(number),
                image(
                    instance=number, ImageOrientationPatient=list(orientation), ImagePositionPatient=place_mm
                ),
            )
        index()
        stacks = [signed_in.get(f"/slice?index={n}").headers["X-Slice-Stack"] for n in range(3)]
        assert len(set(stacks)) == 2
        assert stacks[1] == stacks[2]

    def test_a_window_that_was_asked_for(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image(WindowCenter=40, WindowWidth=400))
        index()
        headers = signed_in.get("/slice?center=50.5&width=300").headers
        window = [headers[f"X-Window-{part}"] for part in ("Center", "Width", "Source")]
        assert window == ["50.5", "300", "request"]

    def test_a_guessed_window(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image())
        index()
        assert signed_in.get("/slice").headers["X-Window-Source"] == "guessed"

    def test_colour_has_none(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", image(np.zeros((4, 6, 3), np.uint8)))
        index()
        headers = signed_in.get("/slice").headers
        assert not any(name.startswith("x-window") for name in headers)

    def test_no_position_where_the_files_have_none(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        folder.write("a", image(ImagePositionPatient=None))
        index()
        assert "X-Slice-Position" not in signed_in.get("/slice").headers


class TestOverlays:
    """PS3.3 C.9: drawn only where they are asked for, and never in the way of the picture."""

    def overlaid(self, **values: Any) -> Dataset:
        dataset = grey(7)
        bits = np.zeros((4, 6), np.bool_)
        bits[1, 2] = True
        values = {"rows": 4, "columns": 6, "data": np.packbits(bits, bitorder="little").tobytes(), **values}
        for element, vr, value in (
            (0x0010, "US", values["rows"]), (0x0011, "US", values["columns"]), (0x0040, "CS", "G"),
            (0x0050, "SS", [1, 1]), (0x0100, "US", 1), (0x0102, "US", 0), (0x1500, "LO", "ROI 1"),
            (0x3000, "OW", values["data"] + b"\0" * (len(values["data"]) % 2)),
        ):  # fmt: skip
            dataset.add_new(0x60000000 | element, vr, value)
        return dataset

    @pytest.mark.parametrize("query", ["", "?overlays=false"])
    def test_the_default_picture_is_without(
        self, signed_in: TestClient, folder: Folder, index: Index, query: str
    ) -> None:
        folder.write("a", self.overlaid())
        index()
        answer = signed_in.get(f"/slice{query}")
        assert (picture(answer) == 7).all()
        assert answer.headers["X-Overlays"] == "1"

    def test_they_are_drawn_white(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", self.overlaid())
        index()
        plain, answer = signed_in.get("/slice"), signed_in.get("/slice?overlays=true")
        expected = np.full((4, 6), 7)
        expected[1, 2] = 255
        np.testing.assert_array_equal(picture(answer), expected)
        assert answer.headers["ETag"] != plain.headers["ETag"]

    def test_the_volume_tells_of_them(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", self.overlaid())
        index()
        volume = signed_in.get(f"/volumes/{uid('series')}").json()
        assert volume["overlays"] == [
            {"group": "6000", "type": "G", "label": "ROI 1", "description": None, "is_embedded": False}
        ]
        assert "has_overlays" in [warning["code"] for warning in volume["warnings"]]

    @pytest.mark.parametrize("values", [{"rows": 65535, "columns": 65535}, {"rows": 0}, {"data": b""}])
    def test_one_that_cannot_be_right_does_not_hide_the_picture(
        self, signed_in: TestClient, folder: Folder, index: Index, values: dict[str, Any]
    ) -> None:
        folder.write("a", self.overlaid(**values))
        index()
        answer = signed_in.get("/slice?overlays=true")
        assert (picture(answer) == 7).all()
        assert "X-Overlays" not in answer.headers
        volume = signed_in.get(f"/volumes/{uid('series')}").json()
        assert "unusable_overlay" in [warning["code"] for warning in volume["warnings"]]

    def test_without_any(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        folder.write("a", grey(7))
        index()
        answer = signed_in.get("/slice?overlays=true")
        assert (picture(answer) == 7).all()
        assert "X-Overlays" not in answer.headers

    def test_malformed(self, signed_in: TestClient) -> None:
        answer = signed_in.get("/slice?overlays=maybe")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
