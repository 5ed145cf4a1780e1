"""Decoded values by hash, modality values by their range, and pictures within a grey level."""

import hashlib
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.decoding import DecodedFrame, decode_frame
from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.modality_lut import apply_modality_lut, read_modality_transform
from imageserver.dicom.overlay_bits import decode_overlays, draw_overlays
from imageserver.dicom.overlays import read_overlays
from imageserver.dicom.reading import Header, read_header
from imageserver.dicom.rendering import render_frame
from imageserver.dicom.voi_lut import VoiFunction, Window
from tests.corpus.conftest import Case, file_cases, overlay_cases, picture_cases

# dcm2pnm drops fractions where the server rounds half up, which is a difference of one level at most; the inverse
# colour transform rounds three times.
TOLERANCE = 1


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    pool = DecoderPool(size=1)
    yield pool
    pool.close()


def decode(case: Case, pool: DecoderPool, index: int | None = None) -> tuple[Header, list[DecodedFrame]]:
    """All frames of a file, or the one at `index`."""
    with case.path.open("rb") as stream:
        header = read_header(stream)
        assert header.image is not None
        indices = range(header.image.number_of_frames) if index is None else [index]
        return header, [decode_frame(stream, header, i, pool) for i in indices]


@pytest.mark.parametrize("case", file_cases("pixel_sha256"))
def test_decoded_values_are_those_of_dcmtk_and_gdcm(case: Case, pool: DecoderPool) -> None:
    _, frames = decode(case, pool)
    values = np.ascontiguousarray(np.stack([frame.stored_values for frame in frames]))
    digest = hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()
    assert digest == case.expected["pixel_sha256"]


@pytest.mark.parametrize("case", file_cases("frame_modality_min_max"))
def test_range_of_modality_values(case: Case, pool: DecoderPool) -> None:
    index = case.expected.get("reference_frame", 0)
    header, [frame] = decode(case, pool, index)
    transform = read_modality_transform(header, FunctionalGroups(header.dataset), index)
    values = apply_modality_lut(frame.stored_values, transform)
    assert [float(values.min()), float(values.max())] == pytest.approx(
        case.expected["frame_modality_min_max"]
    )


@pytest.mark.parametrize("case", picture_cases())
def test_picture(case: Case, pool: DecoderPool) -> None:
    """Where the file has no window the reference runs from the smallest to the largest value of the frame."""
    reference = case.expected["reference"]
    index = case.expected.get("reference_frame", 0)
    header, [frame] = decode(case, pool, index)
    window = None
    if reference.get("numpy", "").startswith("min-max"):
        low, high = case.expected["frame_modality_min_max"]
        window = Window((low + high) / 2, high - low, VoiFunction.LINEAR_EXACT)
    ours = render_frame(frame, header, index, window).display_values.astype(int)
    theirs = np.asarray(Image.open(case.pictures / reference["png"])).astype(int)
    if theirs.ndim > ours.ndim:
        theirs = theirs[..., 0]
    assert np.abs(ours - theirs).max() <= TOLERANCE


@pytest.mark.parametrize("case", overlay_cases())
def test_picture_with_overlays(case: Case, pool: DecoderPool) -> None:
    reference = case.expected["reference"]
    with case.path.open("rb") as stream:
        header = read_header(stream)
        frame = decode_frame(stream, header, 0, pool)
        overlays = read_overlays(header)
        bits = decode_overlays(stream, header, overlays, 0, pool)
    assert [*overlays.findings, *bits.findings] == []
    ours = draw_overlays(render_frame(frame, header, 0).display_values, bits.masks).astype(int)
    theirs = np.asarray(Image.open(case.pictures / reference["with_overlays_png"])).astype(int)
    assert np.abs(ours - theirs).max() <= TOLERANCE
