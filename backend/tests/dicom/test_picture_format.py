"""What comes out as a file, read back by Pillow."""

import io

import numpy as np
import pytest
from PIL import Image

from imageserver.dicom.picture_format import PictureFormat, encode
from imageserver.errors import UndecodableFrame


class TestEncode:
    @pytest.mark.parametrize("shape", [(64, 64), (3, 5), (3, 5, 3), (1, 1)])
    @pytest.mark.parametrize("picture_format", PictureFormat)
    def test_size_and_mode_are_kept(self, picture_format: PictureFormat, shape: tuple[int, ...]) -> None:
        values = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        picture = Image.open(io.BytesIO(encode(values, picture_format)))
        assert picture.size == (shape[1], shape[0])
        assert Image.MIME[picture.format or ""] == picture_format.media_type

    @pytest.mark.parametrize(
        ("picture_format", "side"), [(PictureFormat.WEBP, 16384), (PictureFormat.JPEG, 65501)]
    )
    def test_a_picture_that_a_format_has_no_room_for_is_a_named_error(
        self, picture_format: PictureFormat, side: int
    ) -> None:
        with pytest.raises(UndecodableFrame, match=f"1 x {side} pixels is too large"):
            encode(np.zeros((1, side), np.uint8), picture_format)
        encode(np.zeros((1, side - 1), np.uint8), picture_format)
        encode(np.zeros((1, side), np.uint8), PictureFormat.PNG)

    def test_png_is_exact(self) -> None:
        values = np.random.default_rng(0).integers(0, 256, (20, 30), np.uint8)
        picture = Image.open(io.BytesIO(encode(values, PictureFormat.PNG)))
        np.testing.assert_array_equal(np.asarray(picture), values)
