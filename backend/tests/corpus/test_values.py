"""Stored and modality values of every frame and every file, against dcmtk, GDCM and SimpleITK."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.modality_lut import apply_modality_lut, read_modality_transform
from imageserver.dicom.reading import read_header
from tests.corpus.conftest import Case, file_cases, series_cases


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    pool = DecoderPool(size=1)
    yield pool
    pool.close()


def values_of(path: Path, pool: DecoderPool) -> tuple[np.ndarray, np.ndarray]:
    """Stored and modality values of all frames."""
    with path.open("rb") as stream:
        header = read_header(stream)
        assert header.image is not None
        groups = FunctionalGroups(header.dataset)
        stored, modality = [], []
        for index in range(header.image.number_of_frames):
            values = decode_frame(stream, header, index, pool).stored_values
            stored.append(values)
            modality.append(apply_modality_lut(values, read_modality_transform(header, groups, index)))
    return np.stack(stored), np.stack(modality)


def limits(values: np.ndarray) -> list[float]:
    return [float(values.min()), float(values.max())]


def digest(values: np.ndarray) -> str:
    little = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("<")))
    return hashlib.sha256(little.tobytes()).hexdigest()


@pytest.mark.parametrize("case", file_cases("modality_min_max"))
def test_range_of_all_frames(case: Case, pool: DecoderPool) -> None:
    stored, modality = values_of(case.path, pool)
    assert limits(stored) == case.expected["stored_min_max"]
    assert limits(modality) == pytest.approx(case.expected["modality_min_max"])
    if "simpleitk_min_max" in case.expected:
        assert limits(modality) == pytest.approx(case.expected["simpleitk_min_max"])


@pytest.mark.parametrize("case", file_cases("frame_pixel_sha256"))
def test_the_reference_frame(case: Case, pool: DecoderPool) -> None:
    stored, _ = values_of(case.path, pool)
    index = case.expected["reference_frame"]
    assert digest(stored[index]) == case.expected["frame_pixel_sha256"]
    code, _, rest = case.expected["pixel_layout"].partition(" ")
    assert stored.dtype == np.dtype(code)
    assert str(list(stored.shape)) == rest[: rest.index("]") + 1]


@pytest.mark.parametrize("case", series_cases())
def test_every_file_of_a_series(case: Case, pool: DecoderPool) -> None:
    digests, lows, highs = {}, [], []
    for entry in case.expected["slices_in_order"]:
        stored, modality = values_of(case.folder / entry["file"], pool)
        digests[entry["file"]] = digest(stored)
        lows.append(modality.min())
        highs.append(modality.max())
    assert digests == case.expected["pixel_sha256_by_file"]
    assert len(set(digests.values())) == case.expected["distinct_pixel_contents"]
    assert [min(lows), max(highs)] == pytest.approx(case.expected["volume_modality_min_max"])
