"""Which frames are plain values at a known place."""

import io

import numpy as np
import pytest
from pydicom.dataset import Dataset

from imageserver.dicom.native_layout import NativeLayout, native_layout
from imageserver.dicom.reading import read_header
from tests.builders import image, stream

RGB = np.arange(2 * 4 * 6 * 3, dtype=np.uint8).reshape(2, 4, 6, 3)


def layout_of(
    dataset: Dataset, syntax: str = "1.2.840.10008.1.2.1", browser: bool = True
) -> NativeLayout | None:
    return native_layout(read_header(stream(dataset, syntax)), is_for_browsers=browser)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"])
def test_frames_are_read_from_their_place(syntax: str) -> None:
    dataset = image(RGB, NumberOfFrames=2)
    file = stream(dataset, syntax)
    layout = layout_of(dataset, syntax)
    assert layout is not None
    assert [layout.read(file, index) for index in (1, 0)] == [RGB[1].tobytes(), RGB[0].tobytes()]
    assert layout.transfer_syntax_uid == "1.2.840.10008.1.2.1"


@pytest.mark.parametrize("index", [-1, 2])
def test_a_frame_that_does_not_exist(index: int) -> None:
    layout = layout_of(image(RGB, NumberOfFrames=2))
    assert layout is not None
    with pytest.raises(ValueError, match="no such frame"):
        layout.read(io.BytesIO(b"\0" * 9999), index)


def test_a_file_that_was_cut_after_it_was_read() -> None:
    layout = layout_of(image())
    assert layout is not None
    with pytest.raises(ValueError, match="not there any more"):
        layout.read(io.BytesIO(b"\0" * (layout.offset + 10)), 0)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"])
def test_big_endian_and_deflated_are_none(syntax: str) -> None:
    assert layout_of(image(), syntax, browser=False) is None


@pytest.mark.parametrize(
    "attributes",
    [
        {"PlanarConfiguration": 1},
        {"PhotometricInterpretation": "YBR_FULL"},
        {"BitsStored": 7, "HighBit": 6},
    ],
)
def test_colours_that_only_programs_take(attributes: dict[str, object]) -> None:
    dataset = image(RGB, NumberOfFrames=2, **attributes)
    assert layout_of(dataset) is None
    layout = layout_of(dataset, browser=False)
    assert layout is not None
    assert layout.read(stream(dataset), 1) == RGB[1].tobytes()


def test_4_2_2_has_two_thirds_of_the_samples() -> None:
    data = bytes(range(64))
    dataset = image(np.zeros((4, 8, 3), np.uint8), PhotometricInterpretation="YBR_FULL_422", PixelData=data)
    layout = layout_of(dataset, browser=False)
    assert layout is not None
    assert layout.read(stream(dataset), 0) == data


class TestUnusedBits:
    # PS3.5 8.1.1: what stands in bits beyond Bits Stored is nobody's business.
    def test_browsers_get_them_cleared(self) -> None:
        dataset = image(np.full((2, 2), 0xF123, np.uint16), BitsStored=12, HighBit=11)
        layout = layout_of(dataset)
        assert layout is not None
        assert layout.read(stream(dataset), 0) == np.full(4, 0x0123, "<u2").tobytes()

    def test_browsers_get_signs_extended(self) -> None:
        dataset = image(np.full((2, 2), 0x0FFF, np.int16), BitsStored=12, HighBit=11)
        layout = layout_of(dataset)
        assert layout is not None
        assert layout.read(stream(dataset), 0) == np.full(4, -1, "<i2").tobytes()

    def test_others_get_the_bytes_of_the_file(self) -> None:
        dataset = image(np.full((2, 2), 0xF123, np.uint16), BitsStored=12, HighBit=11)
        layout = layout_of(dataset, browser=False)
        assert layout is not None
        assert layout.read(stream(dataset), 0) == dataset.PixelData
