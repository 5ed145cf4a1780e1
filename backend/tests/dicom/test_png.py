"""PNG: what Pillow reads back is the picture, to the bit."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from imageserver.dicom.png import encode_png


def read(data: bytes) -> np.ndarray:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return np.array(picture)


def smooth(rows: int, columns: int) -> np.ndarray:
    y, x = np.mgrid[0:rows, 0:columns]
    return ((x + y) % 256).astype(np.uint8)


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 7), (7, 1), (3, 5), (512, 512), (33, 1000), (1, 1, 3), (5, 4, 3), (64, 64, 3)]
)
def test_it_comes_back(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    assert np.array_equal(read(encode_png(picture)), picture)


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_any_grey_picture_comes_back(picture: np.ndarray) -> None:
    assert np.array_equal(read(encode_png(picture)), picture)


@pytest.mark.parametrize(
    "picture", [smooth(64, 64), np.dstack([smooth(64, 64)] * 3), np.zeros((64, 64), np.uint8)]
)
def test_smooth_pictures_come_back_small(picture: np.ndarray) -> None:
    data = encode_png(picture)
    assert np.array_equal(read(data), picture)
    assert len(data) < picture.size / 8


def test_a_view_and_its_values_are_left_as_they_are() -> None:
    whole = smooth(20, 20)
    view, before = whole[::2, ::-2], whole.copy()
    assert np.array_equal(read(encode_png(view)), view)
    assert np.array_equal(whole, before)


def test_the_file_is_well_formed() -> None:
    # ISO/IEC 15948 5.3: length, type, data, CRC of type and data.
    data, kinds = encode_png(smooth(4, 6))[8:], []
    while data:
        (length,) = struct.unpack_from(">I", data)
        kind, content, crc = data[4:8], data[8 : 8 + length], data[8 + length : 12 + length]
        assert struct.unpack(">I", crc)[0] == zlib.crc32(kind + content)
        kinds.append(kind)
        data = data[12 + length :]
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]
