"""Thumbnails at every level (PS3.18 10.4.1.1.4, 8.3.5.2)."""

import io
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from pydicom.dataset import Dataset

from tests.api.conftest import Index
from tests.api.dicomweb.addresses import instance_of, series_of, study_of
from tests.builders import image, volume
from tests.folders import Folder

WINDOW = {"WindowCenter": 128, "WindowWidth": 256}
PNG = {"Accept": "image/png"}


def picture(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.array(Image.open(io.BytesIO(answer.content)))


@pytest.fixture
def slices(folder: Folder, index: Index) -> list[Dataset]:
    found = volume(5, **WINDOW)
    for number, dataset in enumerate(found):
        dataset.PixelData = np.full((8, 8), 40 * number, np.uint16).tobytes()
    folder.write_all(found)
    index()
    return found


@pytest.mark.parametrize("level", [study_of, series_of, instance_of, lambda d: f"{instance_of(d)}/frames/1"])
def test_anonymous(client: TestClient, level: Any) -> None:
    assert client.get(f"{level(image())}/thumbnail").status_code == 401


@pytest.mark.parametrize("level", [study_of, series_of])
def test_the_middle_slice(signed_in: TestClient, slices: list[Dataset], level: Any) -> None:
    shown = picture(signed_in.get(f"{level(slices[0])}/thumbnail", headers=PNG))
    np.testing.assert_array_equal(shown, np.full((8, 8), 80))  # the third of five


def test_an_instance_shows_itself(signed_in: TestClient, slices: list[Dataset]) -> None:
    shown = picture(signed_in.get(f"{instance_of(slices[4])}/thumbnail", headers=PNG))
    assert (shown == 160).all()


def test_frames(signed_in: TestClient, folder: Folder, index: Index) -> None:
    pixels = np.repeat(np.arange(0, 250, 50, dtype=np.uint16), 64).reshape(5, 8, 8)
    dataset = image(pixels, NumberOfFrames=5, **WINDOW)
    folder.write("a", dataset)
    index()
    middle = picture(signed_in.get(f"{instance_of(dataset)}/thumbnail", headers=PNG))
    assert (middle == 100).all()
    listed = picture(signed_in.get(f"{instance_of(dataset)}/frames/1,5,2/thumbnail", headers=PNG))
    assert (listed == 200).all()
    assert signed_in.get(f"{instance_of(dataset)}/frames/6/thumbnail").status_code == 404


def test_jpeg_of_at_most_128_pixels_by_default(signed_in: TestClient, folder: Folder, index: Index) -> None:
    dataset = image(np.zeros((100, 400), np.uint16), **WINDOW)
    folder.write("a", dataset)
    index()
    answer = signed_in.get(f"{series_of(dataset)}/thumbnail")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert picture(answer).shape == (32, 128)
    assert picture(signed_in.get(f"{series_of(dataset)}/thumbnail?viewport=800,800")).shape == (200, 800)


@pytest.mark.parametrize("query", ["viewport=0,1", "viewport=1", "viewport=8,8,0,0", "viewport=x"])
def test_malformed(signed_in: TestClient, slices: list[Dataset], query: str) -> None:
    assert signed_in.get(f"{series_of(slices[0])}/thumbnail?{query}").status_code == 400


def test_not_modified(signed_in: TestClient, slices: list[Dataset]) -> None:
    address = f"{study_of(slices[0])}/thumbnail"
    tag = signed_in.get(address).headers["ETag"]
    assert signed_in.get(address, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("level", [study_of, series_of, instance_of])
def test_unknown(signed_in: TestClient, slices: list[Dataset], level: Any) -> None:
    assert signed_in.get(f"{level(image(series='other'))}/thumbnail").status_code == 404


def test_a_series_without_pictures(signed_in: TestClient, folder: Folder, index: Index) -> None:
    dataset = image(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", Modality="SR")
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"):
        delattr(dataset, keyword)
    folder.write("a", dataset)
    index()
    for level in (study_of, series_of, instance_of):
        answer = signed_in.get(f"{level(dataset)}/thumbnail")
        assert (answer.status_code, answer.json()["code"]) == (404, "slice_not_found")
