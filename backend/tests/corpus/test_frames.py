"""Frames as they are sent: decoded ones by the hash of other decoders, stored ones as pydicom finds them."""

import hashlib
from collections.abc import Iterator

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import generate_frames

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.frame_forms import EncodedFrame, Form, encode_frame
from imageserver.dicom.reading import read_header
from tests.corpus.conftest import Case, file_cases


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    pool = DecoderPool(size=1)
    yield pool
    pool.close()


def encode(case: Case, form: Form, pool: DecoderPool) -> list[EncodedFrame]:
    with case.path.open("rb") as stream:
        header = read_header(stream)
        assert header.image is not None
        return [encode_frame(stream, header, i, form, pool) for i in range(header.image.number_of_frames)]


@pytest.mark.parametrize("case", file_cases("pixel_sha256"))
def test_frames_for_browsers(case: Case, pool: DecoderPool) -> None:
    frames = encode(case, Form.BROWSER, pool)
    content = b"".join(frame.content for frame in frames)
    if frames[0].transfer_syntax_uid != "1.2.840.10008.1.2.1":
        stored = generate_frames(dcmread(case.path).PixelData, number_of_frames=len(frames))
        assert [frame.content for frame in frames] == list(stored)
    elif frames[0].parameters.get("photometric-interpretation") != "RGB":
        assert hashlib.sha256(content).hexdigest() == case.expected["pixel_sha256"]
    else:  # colours were converted from what `test_frames_for_programs` compares
        with case.path.open("rb") as stream:
            image = read_header(stream).image
        assert image is not None
        assert len(content) == len(frames) * image.rows * image.columns * 3


@pytest.mark.parametrize("case", file_cases("pixel_sha256"))
def test_frames_for_programs(case: Case, pool: DecoderPool) -> None:
    """Explicit VR little endian: decoded values by hash, native ones as they are in the file."""
    frames = encode(case, Form.NATIVE, pool)
    content = b"".join(frame.content for frame in frames)
    if frames[0].parameters:
        assert hashlib.sha256(content).hexdigest() == case.expected["pixel_sha256"]
        return
    dataset = dcmread(case.path, force=True)
    if dataset.BitsAllocated == 1:
        bits = np.concatenate([np.unpackbits(np.frombuffer(f.content, np.uint8), bitorder="little")
                               [: dataset.Rows * dataset.Columns] for f in frames])  # fmt: skip
        assert hashlib.sha256(bits.tobytes()).hexdigest() == case.expected["pixel_sha256"]
    else:
        assert content == dataset.PixelData[: len(content)]
