"""Thumbnails: the middle slice made small, at an address that changes with it."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import select

from imageserver.archive import pictures
from imageserver.audit.models import AuditEvent
from imageserver.database import Database
from tests.api.conftest import Index
from tests.builders import image, uid, volume
from tests.folders import Folder

WINDOW = {"WindowCenter": 500, "WindowWidth": 1000}


def address(client: TestClient) -> str:
    (study,) = client.get("/studies").json()["studies"]
    found = study["thumbnail"]
    assert isinstance(found, str)
    return found


def opened(answer: Any) -> Image.Image:
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(answer.content))


def flat(value: int, **attributes: Any) -> Any:
    return image(np.full((64, 64), value, np.uint16), **WINDOW, **attributes)


def test_anonymous(client: TestClient) -> None:
    assert client.get(f"/thumbnails/1.2/{'0' * 32}").status_code == 401


def test_the_middle_slice_is_shown(signed_in: TestClient, folder: Folder, index: Index) -> None:
    for number in range(5):  # the middle one, count // 2, is bright; the others are black
        values = {"ImagePositionPatient": [0, 0, number], "instance": number + 1}
        folder.write(f"{number}", flat(1000 if number == 2 else 0, **values))
    index()
    answer = signed_in.get(address(signed_in))
    picture = opened(answer)
    assert (picture.format, picture.size) == ("WEBP", (64, 64))
    assert np.asarray(picture.convert("L")).min() > 250
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert "Authorization" not in answer.headers.get("Vary", "")


def test_its_longest_side_is_128_pixels_with_square_pixels(
    signed_in: TestClient, folder: Folder, index: Index
) -> None:
    pixels = np.zeros((300, 400), np.uint16)
    folder.write("a", image(pixels, PixelSpacing=[2, 1]))  # a row is 2 mm high: 600 x 400 mm
    index()
    assert opened(signed_in.get(address(signed_in))).size == (85, 128)


def test_monochrome1_is_drawn_the_right_way(signed_in: TestClient, folder: Folder, index: Index) -> None:
    # PS3.3 C.7.6.3.1.2: in MONOCHROME1 the least value is white
    folder.write("a", flat(0, PhotometricInterpretation="MONOCHROME1"))
    index()
    assert np.asarray(opened(signed_in.get(address(signed_in))).convert("L")).min() > 250


def test_colour(signed_in: TestClient, folder: Folder, index: Index) -> None:
    pixels = np.zeros((200, 200, 3), np.uint8)
    pixels[..., 1] = 255
    folder.write("a", image(pixels, Modality="US"))
    index()
    shown = np.asarray(opened(signed_in.get(address(signed_in))).convert("RGB")).astype(int)
    assert shown.shape == (128, 128, 3)
    assert abs(shown - (0, 255, 0)).max() <= 6  # the encoding is lossy


def test_of_a_multi_frame_object_the_middle_frame(
    signed_in: TestClient, folder: Folder, index: Index
) -> None:
    frames = np.zeros((5, 64, 64), np.uint16)
    frames[2] = 1000  # count // 2 of five
    folder.write("a", image(frames, NumberOfFrames=5, Modality="XA", **WINDOW))
    index()
    picture = opened(signed_in.get(address(signed_in)))
    assert np.asarray(picture.convert("L")).min() > 250


def test_the_address_changes_with_the_file_and_the_old_one_is_gone(
    signed_in: TestClient, folder: Folder, index: Index
) -> None:
    folder.write("a", flat(0))
    index()
    old = address(signed_in)
    assert signed_in.get(old).status_code == 200
    folder.write("a", flat(1000), age=60)
    index()
    new = address(signed_in)
    assert new != old
    gone = signed_in.get(old)
    assert (gone.status_code, gone.json()["code"]) == (410, "file_replaced")
    assert np.asarray(opened(signed_in.get(new)).convert("L")).min() > 250


def test_the_address_stays_when_something_else_comes(
    signed_in: TestClient, folder: Folder, index: Index
) -> None:
    folder.write_all(volume(4))
    index()
    before = address(signed_in)
    folder.write("other", image(series="other", study="series"))
    index()
    assert address(signed_in) == before
    # five slices: the middle, count // 2, is the same one as of four
    folder.write("fifth", volume(5)[4])
    index()
    assert address(signed_in) == before


def test_other_rendering_has_other_addresses(
    signed_in: TestClient, folder: Folder, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("a", flat(0))
    index()
    before = address(signed_in)
    monkeypatch.setattr("imageserver.archive.thumbnail_keys.RENDERING_VERSION", "another")
    assert address(signed_in) != before


def test_a_list_decodes_nothing(
    signed_in: TestClient, folder: Folder, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("a", flat(0))
    index()

    def decode(*_arguments: Any) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(pictures, "decode_frame", decode)
    assert address(signed_in)


def test_it_is_made_once(
    signed_in: TestClient, folder: Folder, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write("a", flat(0))
    index()
    decode_frame, made = pictures.decode_frame, []

    def decode(*arguments: Any) -> Any:
        made.append(1)
        return decode_frame(*arguments)

    monkeypatch.setattr(pictures, "decode_frame", decode)
    first, second = (signed_in.get(address(signed_in)) for _ in range(2))
    assert (first.content, len(made)) == (second.content, 1)
    again = signed_in.get(address(signed_in), headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_slice_that_cannot_be_shown_says_why(signed_in: TestClient, folder: Folder, index: Index) -> None:
    damaged = image(np.zeros((64, 64), np.uint16))
    damaged.PixelData = damaged.PixelData[:100]
    folder.write("a", damaged)
    index()
    answer = signed_in.get(address(signed_in))
    assert (answer.status_code, answer.json()["code"]) == (422, "undecodable_frame")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_file_that_vanished(signed_in: TestClient, folder: Folder, index: Index) -> None:
    path: Path = folder.write("a", flat(0))
    folder.write("b", image(series="b", study="series"))
    index()
    found = address(signed_in)
    path.unlink()
    answer = signed_in.get(found)
    assert (answer.status_code, answer.json()["code"]) in {(410, "file_gone"), (404, "series_not_found")}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"1.2.3/{'0' * 32}", (404, "series_not_found")),
        (f"{uid('report')}/{'0' * 32}", (404, "slice_not_found")),
        (f"{uid('series')}/{'0' * 32}", (410, "file_replaced")),
        (f"{uid('series')}/xyz", (422, "invalid_parameter")),
        (f"1.2a/{'0' * 32}", (422, "invalid_parameter")),
    ],
)
def test_addresses_that_are_none(
    signed_in: TestClient, folder: Folder, index: Index, path: str, expected: tuple[int, str]
) -> None:
    folder.write("a", flat(0))
    folder.write("report", image(series="report", Modality="SR", PixelData=None, Rows=None))
    index()
    answer = signed_in.get(f"/thumbnails/{path}")
    assert (answer.status_code, answer.json()["code"]) == expected


def test_who_saw_it_is_recorded(
    signed_in: TestClient, folder: Folder, index: Index, database: Database
) -> None:
    folder.write("a", flat(0))
    index()
    found = address(signed_in)
    for _ in range(2):
        signed_in.get(found)
    signed_in.get(found[:-1] + ("0" if found[-1] != "0" else "1"))
    with database.reading() as session:
        events = session.scalars(
            select(AuditEvent).where(AuditEvent.kind == "thumbnail").order_by(AuditEvent.id)
        ).all()
    assert [(event.series_instance_uid, event.outcome) for event in events] == [
        (uid("series"), "success"),
        (uid("series"), "failure"),
    ]
