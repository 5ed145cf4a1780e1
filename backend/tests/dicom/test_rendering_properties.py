"""What holds for any image: the greys follow from the values alone, in order, and nothing that is given is changed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydicom.dataset import Dataset
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.decoding import decode_frame
from imageserver.dicom.overlay_bits import draw_overlays
from imageserver.dicom.padding import Padding, blacken_padding
from imageserver.dicom.reading import read_header
from imageserver.dicom.rendering import RenderedFrame, render_frame
from imageserver.dicom.voi_lut import VoiFunction
from tests import builders

NATIVE = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
# 0 ... 100 fit in everything that follows, also signed bytes.
VALUES = arrays.arrays(
    np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.integers(0, 100)
)
WINDOWS = st.tuples(st.floats(-50, 150), st.floats(0.01, 500), st.sampled_from(VoiFunction))
INTEGERS = [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64]


def render(
    dataset: Dataset, syntax: str = ExplicitVRLittleEndian, pool: DecoderPool | None = None
) -> RenderedFrame:
    stream = builders.stream(dataset, syntax)
    header = read_header(stream)
    return render_frame(decode_frame(stream, header, 0, pool or DecoderPool()), header, 0)


def windowed(values: np.ndarray, window: tuple[float, float, VoiFunction], **attributes: Any) -> Dataset:
    center, width, function = window
    voi = {
        "WindowCenter": f"{center:.10g}",
        "WindowWidth": f"{width:.10g}",
        "VOILUTFunction": function.value,
    }
    return builders.image(values, **voi, **attributes)


def in_twelve_bits(values: np.ndarray, window: Any, **attributes: Any) -> Dataset:
    return windowed(values.astype(np.uint16), window, BitsStored=12, HighBit=11, **attributes)


def below_rubbish(values: np.ndarray, window: Any) -> Dataset:
    """Twelve bits stored, and something else in the four above them."""
    dataset = in_twelve_bits(values, window)
    dataset.PixelData = (values.astype(np.uint16) | 0xA000).tobytes()
    return dataset


def above_rubbish(values: np.ndarray, window: Any) -> Dataset:
    dataset = in_twelve_bits(values, window)
    dataset.HighBit, dataset.PixelData = 15, (values.astype(np.uint16) << 4 | 0xA).tobytes()
    return dataset


def signed_with_rescale(values: np.ndarray, window: Any) -> Dataset:
    return windowed(values.astype(np.int16) - 1024, window, RescaleSlope=1, RescaleIntercept=1024)


def halved_with_rescale(values: np.ndarray, window: Any) -> Dataset:
    return windowed(values.astype(np.uint16) * 2, window, RescaleSlope=0.5, RescaleIntercept=0)


def turned_with_rescale(values: np.ndarray, window: Any) -> Dataset:
    return windowed(200 - values.astype(np.uint16), window, RescaleSlope=-1, RescaleIntercept=200)


def by_modality_lut(values: np.ndarray, window: Any) -> Dataset:
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [101, 50, 16])
    table.add_new("LUTData", "US", list(range(101)))
    return windowed(values.astype(np.uint16) + 50, window, ModalityLUTSequence=[table])


def as_float(values: np.ndarray, window: Any) -> Dataset:
    dataset = windowed(values.astype(np.uint16), window, PixelData=None)
    dataset.FloatPixelData = values.astype(np.float32).tobytes()
    return dataset


def as_double(values: np.ndarray, window: Any) -> Dataset:
    dataset = windowed(values.astype(np.uint16), window, PixelData=None)
    dataset.DoubleFloatPixelData = values.astype(np.float64).tobytes()
    return dataset


FEW = settings(max_examples=30)  # each example writes and reads files
STORAGE: list[Callable[[np.ndarray, Any], Dataset]] = [
    in_twelve_bits, below_rubbish, above_rubbish, signed_with_rescale, halved_with_rescale, turned_with_rescale,
    by_modality_lut, as_float, as_double,
]  # fmt: skip


class TestSameValuesSameGreys:
    @FEW
    @given(VALUES, WINDOWS, st.sampled_from(STORAGE))
    def test_however_they_are_stored(self, values: np.ndarray, window: Any, store: Any) -> None:
        expected = render(windowed(values, window)).display_values
        np.testing.assert_array_equal(render(store(values, window)).display_values, expected)

    @FEW
    @given(VALUES, WINDOWS, st.sampled_from(INTEGERS), st.sampled_from(NATIVE))
    def test_in_integers_of_any_size_and_byte_order(
        self, values: np.ndarray, window: Any, kind: Any, syntax: str
    ) -> None:
        expected = render(windowed(values, window)).display_values
        rendered = render(windowed(values.astype(kind), window), syntax)
        np.testing.assert_array_equal(rendered.display_values, expected)

    @FEW
    @given(VALUES)
    def test_also_where_the_window_is_guessed(self, values: np.ndarray) -> None:
        expected = render(builders.image(values)).display_values
        for kind in INTEGERS:
            np.testing.assert_array_equal(
                render(builders.image(values.astype(kind))).display_values, expected
            )

    @FEW
    @given(VALUES, WINDOWS)
    def test_monochrome1_is_the_other_way_round(self, values: np.ndarray, window: Any) -> None:
        plain = render(windowed(values, window)).display_values.astype(int)
        turned = render(
            windowed(values, window, PhotometricInterpretation="MONOCHROME1")
        ).display_values.astype(int)
        assert np.abs(plain + turned - 255).max() <= 1  # halves are rounded up both times


class TestColourSamples:
    SAMPLES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 4), st.just(3)))

    @FEW
    @given(SAMPLES, st.sampled_from(NATIVE))
    def test_by_pixel_or_by_plane(self, rgb: np.ndarray, syntax: str) -> None:
        planes = np.ascontiguousarray(rgb.transpose(2, 0, 1)).tobytes()
        dataset = builders.image(rgb, PlanarConfiguration=1, PixelData=planes + b"\0" * (len(planes) % 2))
        dataset["PixelData"].VR = "OB"
        np.testing.assert_array_equal(render(dataset, syntax).display_values, rgb)
        np.testing.assert_array_equal(render(builders.image(rgb), syntax).display_values, rgb)

    def test_in_rle(self, decoders: DecoderPool) -> None:
        rgb = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
        frame = RLELosslessEncoder.encode(
            rgb.tobytes(), rows=3, columns=4, number_of_frames=1, samples_per_pixel=3, bits_allocated=8,
            bits_stored=8, pixel_representation=0, photometric_interpretation="RGB", planar_configuration=0,
            encoding_plugin="pydicom",
        )  # fmt: skip
        dataset = builders.encapsulated(builders.image(rgb), [frame])
        np.testing.assert_array_equal(render(dataset, RLELossless, decoders).display_values, rgb)


class TestOrder:
    @FEW
    @given(
        arrays.arrays(np.int16, (1, 12)),
        st.tuples(st.floats(-30000, 30000), st.floats(0.01, 60000), st.sampled_from(VoiFunction)),
        st.sampled_from([-3.5, -1, 0.001, 1, 2.5]),
        st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    )
    def test_larger_values_are_never_darker_or_never_brighter(
        self, values: np.ndarray, window: Any, slope: float, photometric: str
    ) -> None:
        ordered = np.sort(values)
        dataset = windowed(ordered, window, RescaleSlope=slope, RescaleIntercept=-7.25)
        dataset.PhotometricInterpretation = photometric
        picture = render(dataset).display_values
        assert picture.dtype == np.uint8
        steps = np.diff(picture.astype(int)) * (1 if slope > 0 else -1)
        assert np.all(steps >= 0) if photometric == "MONOCHROME2" else np.all(steps <= 0)


class TestInputsStay:
    @FEW
    @given(st.sampled_from(STORAGE), VALUES, WINDOWS)
    def test_of_every_storage(self, store: Any, values: np.ndarray, window: Any) -> None:
        stream = builders.stream(store(values, window))
        header = read_header(stream)
        frame = decode_frame(stream, header, 0, DecoderPool())
        before, text = frame.stored_values.copy(), str(header.dataset)
        frame.stored_values.flags.writeable = False
        render_frame(frame, header, 0)
        np.testing.assert_array_equal(frame.stored_values, before)
        assert str(header.dataset) == text

    @pytest.mark.parametrize("shape", [(2, 3), (2, 3, 3)])
    def test_of_what_is_laid_over_a_picture(self, shape: tuple[int, ...]) -> None:
        picture, mask = np.full(shape, 9, np.uint8), np.ones((2, 3), np.bool_)
        for given_array in (picture, mask):
            given_array.flags.writeable = False
        assert (draw_overlays(picture, [mask]) == 255).all()
        assert (blacken_padding(picture, np.zeros((2, 3), np.int16), Padding(0, 0)) == 0).all()
