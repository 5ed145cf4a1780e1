"""Planes of real volumes against pydicom's pixels, stacked in SimpleITK's order and interpolated by numpy."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from imageserver.archive.files import DataDirectory, FileIdentity
from imageserver.archive.volumes import InstanceFile
from imageserver.archive.voxel_files import FrameSource, open_voxels, write_voxels
from imageserver.dicom.arrangement import Stack
from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.frames import describe_frames
from imageserver.dicom.plane_refusals import Refusal, describe_planes
from imageserver.dicom.planes import Plane, grid_of
from imageserver.dicom.reading import read_header
from imageserver.dicom.reslicing import Voxels, reslice
from imageserver.dicom.stacks import arrange
from tests.corpus.conftest import Case, series_cases


def first_stack(case: Case) -> tuple[Stack, dict[str, str]]:
    frames, files = [], {}
    for entry in case.expected["slices_in_order"]:
        with (case.folder / entry["file"]).open("rb") as stream:
            described = describe_frames(read_header(stream))
        frames += described
        files[described[0].sop_instance_uid] = entry["file"]
    return arrange(frames).stacks[0], files


def ours(case: Case, stack: Stack, files: dict[str, str], scratch: Path) -> Voxels:
    sources = []
    for uid, number in stack.frames:
        path = case.folder / files[uid]
        status = path.stat()
        identity = FileIdentity(status.st_size, status.st_mtime_ns, status.st_ino)
        file = InstanceFile(uid, files[uid].encode(), identity, None, None)
        sources.append(FrameSource(file, number))
    pool = DecoderPool(1)
    try:
        with (scratch / "voxels").open("w+b") as stream:
            write_voxels(stream, sources, DataDirectory(case.folder), pool, lambda done: None)
    finally:
        pool.close()
    return open_voxels(scratch / "voxels", stack.rows, stack.columns)


def theirs(case: Case, stack: Stack, files: dict[str, str]) -> np.ndarray:
    planes = []
    for uid, number in stack.frames:
        dataset = dcmread(case.folder / files[uid])
        pixels: Any = dataset.pixel_array
        pixels = pixels[number - 1] if pixels.ndim == 3 else pixels
        slope, intercept = dataset.get("RescaleSlope", 1), dataset.get("RescaleIntercept", 0)
        groups = [dataset.get("SharedFunctionalGroupsSequence", [None])[0]]
        groups += [dataset.get("PerFrameFunctionalGroupsSequence", [None] * number)[number - 1]]
        for group in groups:
            if group is not None and "PixelValueTransformationSequence" in group:
                item = group.PixelValueTransformationSequence[0]
                slope, intercept = item.RescaleSlope, item.RescaleIntercept
        planes.append(pixels * float(slope) + float(intercept))
    return np.stack(planes)


def stacked(values: np.ndarray, plane: Plane, index: int, spacings: tuple[float, float, float]) -> np.ndarray:
    """The plane by indexing and `numpy.interp` alone."""
    through, down, right = (2 - axis for axis in plane.axes)
    values = np.moveaxis(values, (through, down, right), (0, 1, 2))
    for axis, is_flipped in enumerate(plane.is_flipped):
        values = np.flip(values, axis) if is_flipped else values
    picture = values[index]
    for axis, number in enumerate(plane.axes[1:]):
        places = np.arange((plane.rows, plane.columns)[axis]) * plane.pixel_spacing_mm / spacings[number]
        known = np.arange(picture.shape[axis])
        picture = np.apply_along_axis(lambda line, p=places, k=known: np.interp(p, k, line), axis, picture)
    return np.asarray(picture)


@pytest.mark.parametrize("case", series_cases())
def test_planes_of_real_volumes(case: Case, tmp_path: Path) -> None:
    stack, files = first_stack(case)
    planes = describe_planes(stack, None, 10**9)
    assert not isinstance(planes, Refusal)
    grid, voxels = grid_of(stack), ours(case, stack, files, tmp_path)
    assert not grid.is_sheared
    assert voxels.padding is None
    expected = theirs(case, stack, files)
    for plane in planes.values():
        for index in (0, plane.count // 2, plane.count - 1):
            found = reslice(voxels, grid, plane, (index, index))
            np.testing.assert_allclose(
                found, stacked(expected, plane, index, grid.spacings_mm), rtol=1e-9, atol=1e-6
            )
    # Along the slices themselves the plane is the slice, to the last digit.
    own = next(plane for plane in planes.values() if plane.axes[0] == 2)
    index = own.count - 1 if own.is_flipped[0] else 0
    found = reslice(voxels, grid, own, (index, index))
    turned = expected[0] if own.axes[1] == 1 else expected[0].T
    for axis in (0, 1):
        turned = np.flip(turned, axis) if own.is_flipped[1 + axis] else turned
    if found.shape == turned.shape:  # square pixels
        np.testing.assert_array_equal(found, turned)
