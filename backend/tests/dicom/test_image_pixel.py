"""The Image Pixel module as files write it, wrongly too (PS3.3 C.7.6.3)."""

import io

import numpy as np
import pytest
from pydicom.dataset import Dataset

from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.reading import FileRefused, read_header
from tests import builders

COLOUR = np.zeros((4, 4, 3), np.uint8)


def read(dataset: Dataset) -> tuple[ImagePixel, list[str]]:
    header = read_header(io.BytesIO(builders.to_bytes(dataset)))
    assert header.image is not None
    return header.image, [finding.code for finding in header.warnings]


class TestPhotometricInterpretation:
    """C.7.6.3.1.2: MONOCHROME1, MONOCHROME2 and PALETTE COLOR have one sample, RGB and YBR three."""

    @pytest.mark.parametrize("declared", ["RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "CMYK"])
    def test_one_sample_called_a_colour_is_grey_and_said(self, declared: str) -> None:
        image, codes = read(builders.image(PhotometricInterpretation=declared))
        assert image.photometric_interpretation == "MONOCHROME2"
        assert codes == ["unfit_photometric_interpretation"]

    @pytest.mark.parametrize("declared", ["MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "CMYK"])
    def test_three_samples_called_otherwise_are_refused(self, declared: str) -> None:
        with pytest.raises(FileRefused, match=f"3 samples cannot be {declared}") as caught:
            read(builders.image(COLOUR, PhotometricInterpretation=declared))
        assert caught.value.code == "bad_image"

    @pytest.mark.parametrize(
        ("declared", "meant"),
        [("Monochrome1", "MONOCHROME1"), ("monochrome2", "MONOCHROME2"), ("MONOCHROME", "MONOCHROME2")],
    )
    def test_spellings(self, declared: str, meant: str) -> None:
        dataset = builders.image()
        dataset.PhotometricInterpretation = declared
        image, codes = read(dataset)
        assert (image.photometric_interpretation, codes) == (meant, [])

    @pytest.mark.parametrize("surplus", [0, 24])
    def test_that_of_video_is_refused_by_name(self, surplus: int) -> None:
        data = bytes(24 + surplus)  # two bytes for each four pixels beside their four, or all samples
        with pytest.raises(FileRefused, match="YBR_PARTIAL_420 is for video") as caught:
            read(builders.image(COLOUR, PhotometricInterpretation="YBR_PARTIAL_420", PixelData=data))
        assert caught.value.code == "unsupported_photometric_interpretation"


class TestBitsStored:
    @pytest.mark.parametrize("stored", [0, 17, 255])
    def test_an_impossible_number_counts_as_all_bits_and_is_said(self, stored: int) -> None:
        image, codes = read(builders.image(BitsStored=stored, HighBit=stored))
        assert (image.bits_stored, image.high_bit, codes) == (16, 15, ["bad_bits_stored"])

    @pytest.mark.parametrize("allocated", [2, 10, 24, 63])
    def test_other_bits_allocated_are_refused_by_name(self, allocated: int) -> None:
        with pytest.raises(FileRefused, match=f"{allocated} bits allocated") as caught:
            read(builders.image(BitsAllocated=allocated, BitsStored=1, HighBit=0))
        assert caught.value.code == "bad_image"


class TestTwelveBitsAllocated:
    """PS3.5 8.1.1 until 2004: pixel cells of 12 bits follow each other without gaps, two of them in three bytes."""

    def packed(self, length: int, **attributes: object) -> Dataset:
        bits = {"BitsAllocated": 12, "BitsStored": 12, "HighBit": 11, **attributes}
        shape = (2, 3, 5) if "NumberOfFrames" in attributes else (3, 5)
        return builders.image(np.zeros(shape, np.uint16), PixelData=bytes(length), **bits)

    def test_they_are_stored_in_words_of_16(self) -> None:
        image, codes = read(self.packed(24))  # 15 pixels are 180 bits: 22.5 bytes
        assert (image.stored_type, image.native_length, codes) == (np.dtype("u2"), 23, [])
        signed, _ = read(self.packed(24, PixelRepresentation=1))
        assert signed.stored_type == np.dtype("i2")

    def test_a_byte_too_few_is_refused(self) -> None:
        with pytest.raises(FileRefused, match="22 bytes, its description asks for 23") as caught:
            read(self.packed(22))
        assert caught.value.code == "truncated_pixel_data"

    def test_frames_follow_each_other_within_a_byte(self) -> None:
        image, codes = read(self.packed(46, NumberOfFrames=2))  # 2 x 22.5 bytes, and a pad byte
        assert (image.native_length, codes) == (45, [])
