"""Colours by the formulas of PS3.3 C.7.6.3.1.2."""

import numpy as np
import pytest
from pydicom.dataset import Dataset

from imageserver.dicom.colour import to_rgb
from imageserver.dicom.image_pixel import ImagePixel
from imageserver.dicom.reading import read_header
from tests import builders


def convert(stored: np.ndarray, photometric: str, dataset: Dataset | None = None) -> np.ndarray:
    header = read_header(builders.stream(dataset or builders.image(stored)))
    image: ImagePixel | None = header.image
    assert image is not None
    stored.flags.writeable = False
    return to_rgb(stored, photometric, image, header.dataset)


class TestYbr:
    @pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
    def test_full_range(self, photometric: str) -> None:
        # Inverse of Y = .2990 R + .5870 G + .1140 B and so on, for white, black, red, green, blue, a grey.
        rgb = np.array(
            [[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [100, 100, 100]], float
        )
        matrix = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])
        ybr = np.clip(np.round(rgb @ matrix.T + [0, 128, 128]), 0, 255).astype(np.uint8)
        assert np.abs(convert(ybr[np.newaxis], photometric)[0].astype(int) - rgb).max() <= 1

    def test_partial_range(self) -> None:
        ybr = np.array([[[16, 128, 128], [235, 128, 128]]], np.uint8)
        assert convert(ybr, "YBR_PARTIAL_422").tolist() == [[[0, 0, 0], [255, 255, 255]]]

    @pytest.mark.parametrize("photometric", ["RGB", "YBR_RCT", "YBR_ICT"])
    def test_what_decoders_give_as_rgb_stays(self, photometric: str) -> None:
        rgb = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
        assert convert(rgb, photometric).tolist() == rgb.tolist()

    def test_16_bit_rgb_gives_the_high_bytes(self) -> None:
        assert convert(np.array([[[0x1234, 0xFFFF, 0]]], np.uint16), "RGB").tolist() == [[[0x12, 0xFF, 0]]]

    def test_samples_of_a_stream_that_has_fewer_bits_than_the_file_says(self) -> None:
        header = read_header(builders.stream(builders.image(np.zeros((1, 1, 3), np.uint16))))
        assert header.image is not None
        colour = to_rgb(np.array([[[1, 128, 255]]], np.uint8), "RGB", header.image, header.dataset)
        assert colour.tolist() == [[[1, 128, 255]]]

    def test_samples_of_a_stream_that_has_more_bits_than_the_file_says(self) -> None:
        header = read_header(builders.stream(builders.image(np.zeros((1, 1, 3), np.uint8))))
        assert header.image is not None
        colour = to_rgb(np.array([[[0, 0x800, 0xFFF]]], np.uint16), "RGB", header.image, header.dataset)
        assert colour.tolist() == [[[0, 0x80, 0xFF]]]

    def test_an_unknown_colour_space_is_refused(self) -> None:
        with pytest.raises(ValueError, match="HSV"):
            convert(np.zeros((2, 2, 3), np.uint8), "HSV")


class TestPalette:
    def palette(self, stored: np.ndarray, first: int = 0, **attributes: object) -> Dataset:
        dataset = builders.image(stored, PhotometricInterpretation="PALETTE COLOR", **attributes)
        for colour, entries in {"Red": (0, 255, 10), "Green": (0, 0, 20), "Blue": (255, 0, 30)}.items():
            setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [3, first, 16])
            words = np.array(entries, "<u2") << 8
            setattr(dataset, f"{colour}PaletteColorLookupTableData", words.tobytes())
        return dataset

    def test_discrete(self) -> None:
        stored = np.array([[0, 1, 2]], np.uint8)
        assert convert(stored, "PALETTE COLOR", self.palette(stored)).tolist() == [
            [[0, 0, 255], [255, 0, 0], [10, 20, 30]]
        ]

    def test_values_outside_take_the_first_or_last_colour(self) -> None:
        stored = np.array([[0, 5, 200]], np.uint8)
        colours = convert(stored, "PALETTE COLOR", self.palette(stored, first=4)).tolist()
        assert colours == [[[0, 0, 255], [255, 0, 0], [10, 20, 30]]]

    def test_segmented(self) -> None:
        # PS3.3 C.7.9.2: discrete segment of 1 entry (0), then linear segment of 4 up to 0xFF00.
        stored = np.arange(5, dtype=np.uint8).reshape(1, 5)
        dataset = builders.image(stored, PhotometricInterpretation="PALETTE COLOR")
        for colour in ("Red", "Green", "Blue"):
            setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [5, 0, 16])
            segments = np.array([0, 1, 0, 1, 4, 0xFF00], "<u2")
            setattr(dataset, f"Segmented{colour}PaletteColorLookupTableData", segments.tobytes())
        red = convert(stored, "PALETTE COLOR", dataset)[0, :, 0].astype(int)
        np.testing.assert_allclose(red, [0, 64, 128, 191, 255], atol=1)

    def test_a_damaged_palette_is_refused(self) -> None:
        stored = np.array([[0, 1, 2]], np.uint8)
        dataset = self.palette(stored)
        dataset.RedPaletteColorLookupTableData = b"\0\0"
        with pytest.raises(ValueError, match="palette"):
            convert(stored, "PALETTE COLOR", dataset)
