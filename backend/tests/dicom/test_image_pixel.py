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


class TestBitsStored:
    @pytest.mark.parametrize("stored", [0, 17, 255])
    def test_an_impossible_number_counts_as_all_bits_and_is_said(self, stored: int) -> None:
        image, codes = read(builders.image(BitsStored=stored, HighBit=stored))
        assert (image.bits_stored, image.high_bit, codes) == (16, 15, ["bad_bits_stored"])

    def test_twelve_bits_allocated_are_refused_by_name(self) -> None:
        with pytest.raises(FileRefused, match="12 bits allocated"):
            read(builders.image(BitsAllocated=12, BitsStored=12, HighBit=11))
