"""Volumes as arrays: NumPy as the slices are shown, NIfTI as nibabel reads it."""

import gzip
import io
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydicom.dataset import Dataset

from imageserver.api.costly_requests import CostlyRequests
from tests.api.conftest import Index
from tests.builders import AXIAL, CORONAL, SAGITTAL, image, uid, volume
from tests.folders import Folder

LPS_TO_RAS = np.diag([-1, -1, 1, 1])
OBLIQUE = [0.8660254, 0.5, 0, -0.35355339, 0.61237244, 0.70710678]  # turned by 30 degrees, then by 45


def address(dataset: Dataset, query: str = "") -> str:
    return f"/volumes/{dataset.SeriesInstanceUID}/array?{query}"


def array_of(answer: Any) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Length"] == str(len(answer.content))
    return np.load(io.BytesIO(answer.content))


def nifti_of(answer: Any) -> nibabel.Nifti1Image:
    assert answer.status_code == 200, answer.text
    return nibabel.Nifti1Image.from_bytes(answer.content)


def slices_of(count: int, dtype: Any = np.int16, **attributes: Any) -> tuple[np.ndarray, list[Dataset]]:
    """Slices of 6 x 5 with 12 bits in use."""
    values = np.random.default_rng(5).integers(0, 4096, (count, 6, 5)).astype(dtype)
    found = volume(count, **attributes)
    for dataset, pixels in zip(found, values, strict=True):
        other = image(pixels)
        for keyword in ("Rows", "Columns", "PixelRepresentation", "BitsAllocated", "PixelData"):
            setattr(dataset, keyword, other[keyword].value)
        dataset.BitsStored, dataset.HighBit = 12 + (dtype is np.int16), 11 + (dtype is np.int16)
    return values, found


def kept(folder: Folder, index: Index, datasets: list[Dataset]) -> Dataset:
    folder.write_all(reversed(datasets))
    index()
    return datasets[0]


def test_anonymous(client: TestClient) -> None:
    assert client.get(address(image())).status_code == 401


class TestNumpy:
    def test_in_the_order_of_the_slices(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        values, datasets = slices_of(4, RescaleIntercept=-1024, RescaleSlope=1)
        first = kept(folder, index, datasets)
        array = array_of(signed_in.get(address(first)))
        assert array.dtype == np.int16
        np.testing.assert_array_equal(array, values - 1024)
        listed = signed_in.get(f"/volumes/{first.SeriesInstanceUID}/slices").json()["slices"]
        assert [one["sop_instance_uid"] for one in listed] == [one.SOPInstanceUID for one in datasets]

    def test_as_stored(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        values, datasets = slices_of(3, np.uint16, RescaleIntercept=-1024, RescaleSlope=1)
        array = array_of(signed_in.get(address(kept(folder, index, datasets), "units=stored")))
        assert array.dtype == np.uint16
        np.testing.assert_array_equal(array, values)

    @pytest.mark.parametrize(
        "attributes",
        [
            {"RescaleSlope": 0.5, "RescaleIntercept": 0},
            {"RescaleSlope": 1, "RescaleIntercept": 40000},
            {"RescaleSlope": 10, "RescaleIntercept": 0},
        ],
    )
    def test_numbers_that_int16_does_not_hold(
        self, signed_in: TestClient, folder: Folder, index: Index, attributes: dict[str, float]
    ) -> None:
        values, datasets = slices_of(2, **attributes)
        array = array_of(signed_in.get(address(kept(folder, index, datasets))))
        assert array.dtype == np.float32
        expected = values.astype(float) * attributes["RescaleSlope"] + attributes["RescaleIntercept"]
        np.testing.assert_array_equal(array, expected)

    @pytest.mark.parametrize("intercept", ["-1024", "-1024.0", "-1.024e3"])
    def test_whole_numbers_are_known_however_they_are_written(
        self, signed_in: TestClient, folder: Folder, index: Index, intercept: str
    ) -> None:
        values, datasets = slices_of(2, RescaleSlope="1", RescaleIntercept=intercept)
        array = array_of(signed_in.get(address(kept(folder, index, datasets))))
        assert array.dtype == np.int16
        np.testing.assert_array_equal(array, values - 1024)

    def test_a_rescale_of_each_slice(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        values, datasets = slices_of(2)
        datasets[0].RescaleSlope, datasets[0].RescaleIntercept = 2, 1
        datasets[1].RescaleSlope, datasets[1].RescaleIntercept = 3, 0
        array = array_of(signed_in.get(address(kept(folder, index, datasets))))
        np.testing.assert_array_equal(array, np.stack([values[0] * 2 + 1, values[1] * 3]))

    def test_all_stacks(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        datasets = []
        for time in (1, 2):
            for one in volume(3, TemporalPositionIdentifier=time, PixelSpacing=[0.5, 0.5]):
                one.SOPInstanceUID = uid(time, one.InstanceNumber)
                one.InstanceNumber += 3 * (time - 1)
                one.PixelData = np.full((8, 8), 10 * time + one.InstanceNumber, np.uint16).tobytes()
                datasets.append(one)
        first = kept(folder, index, datasets)
        array = array_of(signed_in.get(address(first, "stack=all")))
        assert array.shape == (2, 3, 8, 8)
        assert array[:, :, 0, 0].tolist() == [[11, 12, 13], [24, 25, 26]]
        np.testing.assert_array_equal(array_of(signed_in.get(address(first, "stack=1"))), array[1])
        nifti = nifti_of(signed_in.get(address(first, "stack=all&format=nifti")))
        np.testing.assert_array_equal(np.asarray(nifti.dataobj), array.T)

    def test_a_series_without_positions(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        pixels = np.arange(3 * 16, dtype=np.uint8).reshape(3, 4, 4)
        dataset = image(
            pixels,
            NumberOfFrames=3,
            ImagePositionPatient=None,
            ImageOrientationPatient=None,
            PixelSpacing=None,
        )
        first = kept(folder, index, [dataset])
        np.testing.assert_array_equal(array_of(signed_in.get(address(first))), pixels)
        answer = signed_in.get(address(first, "format=nifti"))
        assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (
            422,
            "not_a_volume",
            "not_a_volume",
        )

    def test_compressed(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        _, datasets = slices_of(2)
        first = kept(folder, index, datasets)
        plain, packed = signed_in.get(address(first)), signed_in.get(address(first, "compress=true"))
        assert packed.headers["Content-Type"] == "application/gzip"
        assert gzip.decompress(packed.content) == plain.content


class TestNifti:
    @pytest.mark.parametrize(
        "orientation",
        [AXIAL, CORONAL, SAGITTAL, OBLIQUE, [-1, 0, 0, 0, -1, 0], [1, 0, 0, 0, -1, 0]],
        ids=["axial", "coronal", "sagittal", "oblique", "prone", "upside down"],
    )
    @pytest.mark.parametrize("step", [None, "against"])
    def test_every_voxel_lies_where_dicom_says(
        self, signed_in: TestClient, folder: Folder, index: Index, orientation: list[float], step: str | None
    ) -> None:
        """PS3.3 C.7.6.2.1.1 for every voxel, and what nibabel says of the same one, in RAS."""
        normal = np.cross(orientation[:3], orientation[3:])
        steps = None if step is None else -2.5 * normal
        _, datasets = slices_of(
            4, orientation=orientation, step=steps, spacing=2.5, PixelSpacing=[0.8, 0.6], RescaleIntercept=-1000,
            RescaleSlope=1,
        )  # fmt: skip
        nifti = nifti_of(signed_in.get(address(kept(folder, index, datasets), "format=nifti")))
        voxels = np.asarray(nifti.dataobj)
        assert voxels.shape == (5, 6, 4)
        by_place = {
            tuple(np.round(p, 2)): value
            for one in datasets
            for p, value in zip(*_places(one, orientation), strict=True)
        }
        assert len(by_place) == voxels.size
        for place in np.ndindex(*voxels.shape):
            lps = (LPS_TO_RAS @ nifti.affine @ [*place, 1])[:3]
            key = min(by_place, key=lambda k: np.abs(np.array(k) - lps).max())
            assert np.abs(np.array(key) - lps).max() < 0.02
            assert voxels[place] == by_place[key]

    def test_both_forms_of_the_matrix_agree(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        for number, orientation in enumerate([AXIAL, CORONAL, SAGITTAL, OBLIQUE]):
            _, datasets = slices_of(3, orientation=orientation, series=f"series {number}")
            folder.write_all(datasets, prefix=f"o{number}-")
            index()
            header = nifti_of(signed_in.get(address(datasets[0], "format=nifti"))).header
            np.testing.assert_allclose(header.get_qform(), header.get_sform(), atol=1e-4)
            assert (int(header["qform_code"]), int(header["sform_code"])) == (1, 1)
            assert header.get_xyzt_units()[0] == "mm"

    def test_a_tilted_gantry_stays_sheared(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        _, datasets = slices_of(4, step=[0, 0.5, 2])
        header = nifti_of(signed_in.get(address(kept(folder, index, datasets), "format=nifti"))).header
        np.testing.assert_allclose(header.get_sform()[:3, 2], [0, -0.5, 2], atol=1e-5)
        assert int(header["qform_code"]) == 0  # a rotation could not say it

    def test_stored_values_with_their_rescale(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        values, datasets = slices_of(3, RescaleSlope=0.5, RescaleIntercept=-1000)
        first = kept(folder, index, datasets)
        stored = nifti_of(signed_in.get(address(first, "format=nifti&units=stored")))
        np.testing.assert_array_equal(stored.dataobj.get_unscaled(), values.T)
        np.testing.assert_array_equal(stored.get_fdata(), values.T * 0.5 - 1000)
        np.testing.assert_array_equal(
            nifti_of(signed_in.get(address(first, "format=nifti"))).get_fdata(), values.T * 0.5 - 1000
        )

    def test_nii_gz_opens_by_its_name(
        self, signed_in: TestClient, folder: Folder, index: Index, tmp_path: Path
    ) -> None:
        values, datasets = slices_of(3)
        answer = signed_in.get(address(kept(folder, index, datasets), "format=nifti&compress=true"))
        name = answer.headers["Content-Disposition"].partition("filename=")[2].strip('"')
        assert name == f"{datasets[0].SeriesInstanceUID}.nii.gz"
        (tmp_path / name).write_bytes(answer.content)
        np.testing.assert_array_equal(np.asarray(nibabel.load(tmp_path / name).dataobj), values.T)

    @pytest.mark.parametrize(
        ("datasets", "reason"),
        [
            (volume(1), "one_slice"),
            ([*volume(3), image(instance=9, ImagePositionPatient=[0, 0, 40])], "gaps"),
            (
                [image(instance=k, ImagePositionPatient=[0, 0, k**2 / 4 + k]) for k in range(1, 6)],
                "unequal_spacing",
            ),
        ],
    )
    def test_no_volume(
        self, signed_in: TestClient, folder: Folder, index: Index, datasets: list[Dataset], reason: str
    ) -> None:
        answer = signed_in.get(address(kept(folder, index, datasets), "format=nifti"))
        assert (answer.status_code, answer.json()["code"], answer.json()["reason"]) == (
            422,
            "not_a_volume",
            reason,
        )


class TestRefused:
    def test_colour(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        first = kept(folder, index, [image(np.zeros((4, 4, 3), np.uint8))])
        answer = signed_in.get(address(first))
        assert (answer.status_code, answer.json()["reason"]) == (422, "colour")

    def test_different_sizes(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        plain = {"ImagePositionPatient": None, "ImageOrientationPatient": None}
        datasets = [image(np.zeros((4, n), np.uint8), instance=n, **plain) for n in (4, 6)]
        answer = signed_in.get(address(kept(folder, index, datasets)))
        assert (answer.status_code, answer.json()["reason"]) == (422, "sizes_differ")

    def test_a_damaged_slice_is_told_before_anything_is_sent(
        self, signed_in: TestClient, folder: Folder, index: Index
    ) -> None:
        _, datasets = slices_of(3)
        datasets[1].PixelData = datasets[1].PixelData[:10]
        answer = signed_in.get(address(kept(folder, index, datasets)))
        assert (answer.status_code, answer.json()["code"]) == (422, "undecodable_frame")

    @pytest.mark.parametrize("query", ["stack=x", "stack=-1", "format=zip", "units=mm", "stack=all,1"])
    def test_malformed(self, signed_in: TestClient, folder: Folder, index: Index, query: str) -> None:
        _, datasets = slices_of(2)
        assert signed_in.get(address(kept(folder, index, datasets), query)).status_code == 422

    def test_not_there(self, signed_in: TestClient, folder: Folder, index: Index) -> None:
        _, datasets = slices_of(2)
        first = kept(folder, index, datasets)
        assert signed_in.get(address(first, "stack=7")).json()["code"] == "slice_not_found"
        assert signed_in.get(address(image(series="other"))).json()["code"] == "series_not_found"

    def test_too_many(self, signed_in: TestClient, app: FastAPI) -> None:
        app.state.costly_requests = CostlyRequests(0)
        assert signed_in.get(address(image())).status_code == 429


def test_not_modified_until_a_slice_changes(signed_in: TestClient, folder: Folder, index: Index) -> None:
    _, datasets = slices_of(3)
    first = kept(folder, index, datasets)
    tags = [
        signed_in.get(address(first, query)).headers["ETag"]
        for query in ("", "units=stored", "compress=true")
    ]
    assert len(set(tags)) == 3
    again = {"If-None-Match": tags[0]}
    assert signed_in.get(address(first), headers=again).status_code == 304
    datasets[1].PixelData = datasets[0].PixelData
    folder.write("slice0001", datasets[1], age=1800)
    index()
    assert signed_in.get(address(first), headers=again).status_code == 200


def _places(dataset: Dataset, orientation: list[float]) -> tuple[list[np.ndarray], list[int]]:
    """Where each pixel of a slice lies by equation C.7.6.2.1-1, and its modality value."""
    rows, columns = np.mgrid[0 : dataset.Rows, 0 : dataset.Columns]
    position = np.array(dataset.ImagePositionPatient, float)
    between_rows, between_columns = dataset.PixelSpacing
    places = (
        position
        + np.outer(columns.ravel() * between_columns, orientation[:3])
        + np.outer(rows.ravel() * between_rows, orientation[3:])
    )
    values = np.frombuffer(dataset.PixelData, np.int16).astype(int) - 1000
    return list(places), values.tolist()
