"""Damaged compressed streams: an answer or a named error for each, and no process of the server is lost."""

import contextlib
import io
import random

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.picture_format import PictureFormat, encode
from imageserver.dicom.reading import FileRefused, read_header
from imageserver.dicom.rendering import render_frame
from imageserver.errors import UndecodableFrame
from tests import builders
from tests.dicom.compressed_streams import PICTURE, STREAMS

PER_SYNTAX = 60


def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray((PICTURE >> 4).astype(np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def jpeg_2000() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, "JPEG2000", no_jp2=True, num_resolutions=2)
    return buffer.getvalue()


SOURCES = {
    "1.2.840.10008.1.2.4.50": jpeg(),
    "1.2.840.10008.1.2.4.57": STREAMS["57"],
    "1.2.840.10008.1.2.4.80": STREAMS["80"],
    "1.2.840.10008.1.2.4.90": jpeg_2000(),
    "1.2.840.10008.1.2.4.201": STREAMS["201"],
}


def damaged(stream: bytes, chance: random.Random) -> bytes:
    """Flip bits, cut, repeat or zero a part, leaving the first bytes, so that decoders have something to chew on."""
    data = bytearray(stream)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(4, max(5, len(data)))
        kind = chance.randrange(4)
        if kind == 0:
            data[at:] = data[at:][: chance.randint(0, 40)]
        elif kind == 1:
            data[at : at + chance.randint(1, 8)] = b"\xff" * chance.randint(0, 8)
        else:
            data[min(at, len(data) - 1)] ^= 1 << chance.randrange(8)
    return bytes(data)


def show(dataset: Dataset, syntax: str, pool: DecoderPool) -> None:
    """What the server does with a file; anything but a picture or a named error fails the test."""
    with contextlib.suppress(FileRefused, UndecodableFrame):
        stream = builders.stream(dataset, syntax)
        header = read_header(stream)
        frame = decode_frame(stream, header, 0, pool)
        assert header.image is not None
        picture = render_frame(frame, header, 0)
        assert picture.display_values.shape[:2] == (header.image.rows, header.image.columns)
        assert encode(picture.display_values, PictureFormat.PNG)


@pytest.mark.parametrize("syntax", SOURCES)
def test_damaged_streams(syntax: str, decoders: DecoderPool) -> None:
    chance = random.Random(f"{syntax}")
    is_8_bit = syntax.endswith(".50")
    for _ in range(PER_SYNTAX):
        pixels = (PICTURE >> 4).astype(np.uint8) if is_8_bit else PICTURE
        stream = damaged(SOURCES[syntax], chance)
        show(builders.encapsulated(builders.image(pixels), [stream]), syntax, decoders)


def test_damaged_rle(decoders: DecoderPool) -> None:
    path = str(get_testdata_file("MR_small_RLE.dcm", download=False))
    with open(path, "rb") as file:  # noqa: PTH123 - a file of a library
        original = file.read()
    chance = random.Random(5)
    header = read_header(io.BytesIO(original))
    assert header.pixel_data is not None
    start, length = header.pixel_data.fragments[1]
    for _ in range(PER_SYNTAX):
        data = original[:start] + damaged(original[start : start + length], chance)
        data = data[: start + length].ljust(start + length, b"\0") + original[start + length :]
        with contextlib.suppress(FileRefused, UndecodableFrame):
            stream = io.BytesIO(data)
            decode_frame(stream, read_header(stream), 0, decoders)


class TestBombs:
    """A few bytes that claim a large picture are refused before a decoder allocates it."""

    def claim(self, rows: int, columns: int, stream: bytes) -> Dataset:
        return builders.encapsulated(builders.image(PICTURE, Rows=rows, Columns=columns), [stream])

    def test_jpeg_2000_of_65535_by_65535(self, decoders: DecoderPool) -> None:
        stream = bytearray(jpeg_2000())
        stream[8:16] = (65535).to_bytes(4, "big") * 2
        with pytest.raises(FileRefused, match="65535 x 65535"):
            read_header(builders.stream(self.claim(65535, 65535, bytes(stream)), "1.2.840.10008.1.2.4.90"))
        file = builders.stream(self.claim(12, 16, bytes(stream)), "1.2.840.10008.1.2.4.90")
        with pytest.raises(UndecodableFrame, match="65535 x 65535 pixels instead of 12 x 16"):
            decode_frame(file, read_header(file), 0, decoders)

    def test_rle_that_unpacks_to_more_than_it_may(self, decoders: DecoderPool) -> None:
        # Two segments of runs of 128 zeros each: 16000 x 16000 pixels claimed by 20 kB.
        run = b"\x81\x00" * 5000
        head = np.array([2, 64, 64 + len(run), *[0] * 13], "<u4").tobytes()
        file = builders.stream(self.claim(16000, 16000, head + run + run), "1.2.840.10008.1.2.5")
        with pytest.raises(UndecodableFrame):
            decode_frame(file, read_header(file), 0, decoders)
