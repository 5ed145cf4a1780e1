"""PS3.3 C.7.6.19: values from the first one mapped on have a colour, those below go through the grey pipeline."""

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.reading import read_header
from imageserver.dicom.rendering import RenderedFrame, render_frame
from tests import builders
from tests.builders import item

STORED = np.array([[0, 5, 10, 100, 101]], np.uint16)
RED_AND_BLUE = [[255, 0, 0], [0, 0, 255]]  # of 100 and 101


def coloured(dataset: Dataset, first: int = 100, **attributes: Any) -> Dataset:
    for colour, entries in {"Red": (255, 0), "Green": (0, 0), "Blue": (0, 255)}.items():
        dataset.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [2, first, 16])
        data = (np.array(entries, "<u2") << 8).tobytes()
        dataset.add_new(f"{colour}PaletteColorLookupTableData", "OW", data)
    dataset.PixelPresentation = "COLOR"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def render(dataset: Dataset, index: int = 0) -> tuple[RenderedFrame, list[str]]:
    stream = builders.stream(dataset)
    header = read_header(stream)
    rendered = render_frame(decode_frame(stream, header, index, DecoderPool()), header, index)
    return rendered, [finding.code for finding in rendered.warnings]


WINDOW = {"WindowCenter": 5, "WindowWidth": 10, "VOILUTFunction": "LINEAR_EXACT"}


@pytest.mark.parametrize("presentation", ["COLOR", "MIXED"])
def test_grey_below_and_colour_from_the_first_value_on(presentation: str) -> None:
    rendered, codes = render(coloured(builders.image(STORED, **WINDOW), PixelPresentation=presentation))
    greys = [[0, 0, 0], [128, 128, 128], [255, 255, 255]]
    assert (rendered.display_values.tolist(), codes) == ([[*greys, *RED_AND_BLUE]], [])


def test_polarity_is_of_the_greys_alone() -> None:
    dataset = builders.image(STORED, PhotometricInterpretation="MONOCHROME1", **WINDOW)
    rendered, _ = render(coloured(dataset))
    assert rendered.display_values[0, :3, 0].tolist() == [255, 128, 0]
    assert rendered.display_values[0, 3:].tolist() == RED_AND_BLUE


def test_coloured_values_have_no_part_in_a_guessed_window() -> None:
    rendered, codes = render(coloured(builders.image(STORED)))
    assert rendered.display_values[0, :3, 0].tolist() == [0, 128, 255]
    assert codes == ["window_guessed"]


def test_padding_is_black_among_colours_too() -> None:
    rendered, _ = render(coloured(builders.image(STORED, PixelPaddingValue=100, **WINDOW)))
    assert rendered.display_values[0, 3:].tolist() == [[0, 0, 0], [0, 0, 255]]


@pytest.mark.parametrize("presentation", ["MONOCHROME", "TRUE_COLOR", ""])
def test_other_pixel_presentations_have_none(presentation: str) -> None:
    rendered, _ = render(coloured(builders.image(STORED, **WINDOW), PixelPresentation=presentation))
    assert rendered.display_values.tolist() == [[0, 128, 255, 255, 255]]


@pytest.mark.parametrize("keyword", ["MRImageFrameTypeSequence", "CTImageFrameTypeSequence"])
def test_a_frame_may_be_monochrome_among_coloured_ones(keyword: str) -> None:
    groups = [{keyword: item(PixelPresentation=name)} for name in ("COLOR", "MONOCHROME")]
    pixels = np.stack([STORED, STORED])
    dataset = coloured(builders.enhanced([(0, 0, 0), (0, 0, 1)], pixels, groups=groups, **WINDOW))
    assert [render(dataset, index)[0].display_values.ndim for index in (0, 1)] == [3, 2]


def test_a_damaged_palette_is_said_and_the_picture_grey() -> None:
    dataset = coloured(builders.image(STORED, **WINDOW))
    del dataset.GreenPaletteColorLookupTableData
    rendered, codes = render(dataset)
    assert (rendered.display_values.ndim, codes) == (2, ["palette_unusable"])


def test_palettes_of_several_data_paths_are_said() -> None:
    dataset = coloured(builders.image(STORED, **WINDOW))
    dataset.EnhancedPaletteColorLookupTableSequence = [item(DataPathID="PRIMARY")]
    rendered, codes = render(dataset)
    assert (rendered.display_values.ndim, codes) == (2, ["enhanced_palette_ignored"])
