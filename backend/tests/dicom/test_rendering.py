"""The whole grey pipeline, in the order of PS3.4 N.2, and what comes out as a file."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from imageserver.dicom.decoder_pool import DecoderPool
from imageserver.dicom.decoding import DecodedFrame, decode_frame
from imageserver.dicom.reading import Header, read_header
from imageserver.dicom.rendering import RenderedFrame, render_frame, windows_of
from imageserver.dicom.voi_lut import VoiFunction, Window
from imageserver.errors import UndecodableFrame
from tests import builders
from tests.builders import item

WINDOW = {"WindowCenter": 40, "WindowWidth": 400}


def prepare(dataset: Dataset, index: int = 0) -> tuple[DecodedFrame, Header]:
    stream = builders.stream(dataset)
    header = read_header(stream)
    return decode_frame(stream, header, index, DecoderPool()), header


def render(dataset: Dataset, window: Window | None = None, index: int = 0) -> RenderedFrame:
    frame, header = prepare(dataset, index)
    return render_frame(frame, header, index, window)


def codes(rendered: RenderedFrame) -> list[str]:
    return [warning.code for warning in rendered.warnings]


class TestGrey:
    def test_rescale_then_window(self) -> None:
        # HU -161, -160, 39.5 (as 39 and 40), 239, 240 under center 40, width 400.
        stored = np.array([[863, 864, 1063, 1064, 1263, 1264]], np.uint16)
        rendered = render(builders.image(stored, RescaleSlope=1, RescaleIntercept=-1024, **WINDOW))
        expected = [0, 0, round(199 / 399 * 255), round(200 / 399 * 255), 255, 255]
        assert rendered.display_values.tolist() == [expected]
        assert (rendered.window, codes(rendered)) == (Window(40, 400), [])

    def test_of_several_windows_the_first(self) -> None:
        dataset = builders.image(WindowCenter=[10, 40], WindowWidth=[20, 400])
        assert render(dataset).window == Window(10, 20)
        assert windows_of(prepare(dataset)[1]) == [Window(10, 20), Window(40, 400)]

    def test_a_window_that_is_asked_for_wins(self) -> None:
        rendered = render(
            builders.image(np.array([[0, 5, 10]], np.uint8), **WINDOW),
            Window(5, 10, VoiFunction.LINEAR_EXACT),
        )
        assert rendered.display_values.tolist() == [[0, 128, 255]]

    def test_negative_stored_values(self) -> None:
        stored = np.array([[-1024, -160, 239, 3000]], np.int16)
        assert render(builders.image(stored, **WINDOW)).display_values.tolist() == [[0, 0, 255, 255]]

    def test_monochrome1_is_turned_around_after_the_window(self) -> None:
        stored = np.array([[0, 5, 10]], np.uint8)
        window = {"WindowCenter": 5, "WindowWidth": 10, "VOILUTFunction": "LINEAR_EXACT"}
        dataset = builders.image(stored, PhotometricInterpretation="MONOCHROME1", **window)
        assert render(dataset).display_values.tolist() == [[255, 128, 0]]

    def test_a_table_wins_over_the_window(self) -> None:
        table = Dataset()
        table.add_new("LUTDescriptor", "US", [3, 0, 8])
        table.add_new("LUTData", "US", [255, 100, 0])
        rendered = render(
            builders.image(np.array([[0, 1, 2]], np.uint8), VOILUTSequence=Items([table]), **WINDOW)
        )
        assert rendered.display_values.tolist() == [[255, 100, 0]]
        assert rendered.window is None

    def test_each_frame_has_its_own_window(self) -> None:
        pixels = np.full((2, 1, 1), 10, np.uint16)
        groups = [{"FrameVOILUTSequence": item(WindowCenter=c, WindowWidth=2)} for c in (0, 100)]
        dataset = builders.enhanced([(0, 0, 0), (0, 0, 1)], pixels, groups=groups)
        assert [int(render(dataset, index=i).display_values[0, 0]) for i in (0, 1)] == [255, 0]

    @pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32])
    def test_all_integer_types_agree(self, kind: Any) -> None:
        stored = np.array([[0, 30, 60, 90, 120]], kind)
        rendered = render(builders.image(stored, WindowCenter=60, WindowWidth=121))
        assert rendered.display_values.tolist() == [[1, 65, 129, 192, 255]]  # (x - 59.5) / 120 + 0.5

    def test_floating_point_pixels(self) -> None:
        pixels = np.array([[0.0, 0.5, 1.0, np.nan]], np.float32)
        dataset = builders.image(
            np.zeros((1, 4), np.uint16),
            PixelData=None,
            FloatPixelData=pixels.tobytes(),
            WindowCenter=0.5,
            WindowWidth=0.99,
        )
        assert render(dataset).display_values.tolist() == [[0, 128, 255, 0]]

    @pytest.mark.parametrize("keyword", ["FloatPixelData", "DoubleFloatPixelData"])
    def test_values_of_floating_point_that_are_no_numbers_or_without_end(self, keyword: str) -> None:
        kind = np.float32 if keyword == "FloatPixelData" else np.float64
        pixels = np.array([[-np.inf, np.finfo(kind).min, -1, 0, 1, np.finfo(kind).max, np.inf, np.nan]], kind)
        attributes = {keyword: pixels.tobytes(), "PixelData": None, "RescaleSlope": 2, "RescaleIntercept": 1}
        dataset = builders.image(np.zeros(pixels.shape, np.uint16), **attributes)
        window = Window(1, 4, VoiFunction.LINEAR_EXACT)  # -1 and 1 become -1 and 3, the ends of the ramp
        assert render(dataset, window).display_values.tolist() == [[0, 0, 0, 128, 255, 255, 255, 0]]
        table = Dataset()
        table.add_new("LUTDescriptor", "US", [3, 0, 8])
        table.add_new("LUTData", "US", [10, 20, 30])
        dataset.VOILUTSequence = Items([table])
        assert render(dataset).display_values.tolist() == [[10, 10, 10, 20, 30, 30, 30, 10]]

    def test_each_frame_has_its_own_rescale_before_the_window(self) -> None:
        pixels = np.array([[[0, 5, 10]], [[0, 5, 10]]], np.uint16)
        groups = [
            {"PixelValueTransformationSequence": item(RescaleSlope=s, RescaleIntercept=i)}
            for s, i in ((1, 0), (-1, 10))
        ]
        window = {"FrameVOILUTSequence": item(WindowCenter=5, WindowWidth=10, VOILUTFunction="LINEAR_EXACT")}
        dataset = builders.enhanced([(0, 0, 0), (0, 0, 1)], pixels, groups=groups, shared=window)
        pictures = [render(dataset, index=index).display_values.tolist() for index in (0, 1)]
        assert pictures == [[[0, 128, 255]], [[255, 128, 0]]]

    def test_windows_of_pet_are_in_units_after_the_rescale_of_each_slice(self) -> None:
        # 500 and 1000 Bq/ml of 1000, whatever the slope of the slice is.
        window = {"WindowCenter": 500, "WindowWidth": 1000, "VOILUTFunction": "LINEAR_EXACT"}
        for slope in (0.5, 2.5):
            stored = np.array([[500 / slope, 1000 / slope]]).astype(np.int16)
            rendered = render(builders.image(stored, RescaleSlope=slope, RescaleIntercept=0, **window))
            assert rendered.display_values.tolist() == [[128, 255]]

    def test_real_world_values_and_dose_grid_scaling_are_no_part_of_display(self) -> None:
        # PS3.3 C.7.6.16.2.11: independent of the Modality LUT. C.8.8.3: the dose, not what is displayed.
        mapping = item(RealWorldValueSlope=10.0, RealWorldValueIntercept=5.0)
        dataset = builders.image(
            np.array([[0, 5, 10]], np.uint32),
            RealWorldValueMappingSequence=Items([mapping]),
            DoseGridScaling="0.001",
            WindowCenter=5,
            WindowWidth=10,
            VOILUTFunction="LINEAR_EXACT",
        )
        assert render(dataset).display_values.tolist() == [[0, 128, 255]]


class TestWithoutWindow:
    def test_it_is_guessed_and_said(self) -> None:
        rendered = render(builders.image(np.arange(256, dtype=np.uint8).reshape(16, 16)))
        assert codes(rendered) == ["window_guessed"]
        assert (rendered.display_values.min(), rendered.display_values.max()) == (0, 255)

    @pytest.mark.parametrize(("center", "width"), [("forty", "400"), ("40", "0"), ("40", "-5"), ("40", "")])
    def test_a_window_that_is_there_but_unusable_is_not_called_missing(self, center: str, width: str) -> None:
        dataset = builders.image(np.arange(256, dtype=np.uint8).reshape(16, 16))
        dataset.add_new("WindowCenter", "LO", center)
        dataset.add_new("WindowWidth", "LO", width)
        rendered = render(dataset)
        assert codes(rendered) == ["window_unusable", "window_guessed"]
        assert all("has no window" not in warning.message for warning in rendered.warnings)

    def test_a_first_window_that_is_unusable_is_told_and_the_next_one_used(self) -> None:
        rendered = render(builders.image(WindowCenter=[1, 40], WindowWidth=[0, 400]))
        assert (rendered.window, codes(rendered)) == (Window(40, 400), ["window_unusable"])
        assert "first window" in rendered.warnings[0].message

    def test_a_slope_of_zero_is_told(self) -> None:
        assert codes(render(builders.image(RescaleSlope=0, **WINDOW))) == ["unreadable_rescale"]

    @pytest.mark.parametrize(
        ("bits", "highest", "brightest"),
        [(8, 65535, 255), (10, 4095, 255), (16, 4095, 16)],  # 4095 / 65535 * 255 = 15.9
    )
    def test_a_table_whose_bits_do_not_fit_is_told(self, bits: int, highest: int, brightest: int) -> None:
        table = Dataset()
        table.add_new("LUTDescriptor", "US", [2, 0, bits])
        table.add_new("LUTData", "US", [0, highest])
        rendered = render(builders.image(np.array([[0, 1]], np.uint8), VOILUTSequence=Items([table])))
        assert rendered.display_values.tolist() == [[0, brightest]]
        assert codes(rendered) == ["voi_lut_depth"]

    def test_a_damaged_table_is_told_and_the_window_used(self) -> None:
        table = Dataset()
        table.add_new("LUTDescriptor", "US", [900, 0, 16])
        table.add_new("LUTData", "US", [1, 2])
        rendered = render(builders.image(VOILUTSequence=Items([table]), **WINDOW))
        assert (rendered.window, codes(rendered)) == (Window(40, 400), ["voi_lut_unusable"])

    def test_padding_outside_the_stored_bits_is_black_too(self) -> None:
        # 0xF830 and 0x0830 are the same stored value of 12 bits.
        stored = np.array([[0xF830, 100, 150, 200]], np.uint16)
        dataset = builders.image(stored, BitsStored=12, HighBit=11, PixelPaddingValue=0xF830)
        assert render(dataset).display_values.tolist() == [[0, 0, 128, 255]]

    def test_padding_has_no_part_in_the_guess_and_is_black(self) -> None:
        stored = np.array([[-2000, 100, 150, 200]], np.int16)
        rendered = render(builders.image(stored, PixelPaddingValue=-2000))
        assert rendered.display_values.tolist() == [[0, 0, 128, 255]]

    def test_padding_is_black_in_monochrome1_too(self) -> None:
        stored = np.array([[0, 100, 200]], np.uint16)
        dataset = builders.image(stored, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=0)
        assert render(dataset).display_values.tolist() == [[0, 255, 0]]

    @pytest.mark.parametrize("value", [0, 77, 65535])
    def test_a_constant_image_is_mid_grey(self, value: int) -> None:
        rendered = render(builders.image(np.full((2, 2), value, np.uint16)))
        assert rendered.display_values.tolist() == [[128, 128], [128, 128]]
        assert codes(rendered) == ["constant_image"]

    def test_an_image_of_padding_only_is_black(self) -> None:
        rendered = render(builders.image(np.full((2, 2), 7, np.uint16), PixelPaddingValue=7))
        assert rendered.display_values.tolist() == [[0, 0], [0, 0]]


class TestMask:
    """Masks have a range by their nature; a guess would show an empty one in the middle of the greys."""

    def bits(self, *values: int) -> Dataset:
        data = np.packbits(np.array(values, np.bool_), bitorder="little").tobytes() + b"\0"
        attributes = {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0, "PixelData": data}
        return builders.image(np.zeros((1, len(values)), np.uint8), **attributes)

    @pytest.mark.parametrize("values", [(0, 1, 0), (0, 0, 0), (1, 1, 1)])
    def test_of_one_bit_is_black_and_white(self, values: tuple[int, ...]) -> None:
        rendered = render(self.bits(*values))
        assert rendered.display_values.tolist() == [[255 * value for value in values]]
        assert (rendered.window, codes(rendered)) == (None, [])

    def test_of_one_bit_in_monochrome1(self) -> None:
        dataset = self.bits(0, 1)
        dataset.PhotometricInterpretation = "MONOCHROME1"
        assert render(dataset).display_values.tolist() == [[255, 0]]

    def test_fractional_runs_to_the_maximum_fractional_value(self) -> None:
        # PS3.3 C.8.20.2: 0 to Maximum Fractional Value stand for 0 to 1.
        dataset = builders.image(
            np.array([[0, 50, 100]], np.uint8), SegmentationType="FRACTIONAL", MaximumFractionalValue=100
        )
        rendered = render(dataset)
        assert (rendered.display_values.tolist(), codes(rendered)) == ([[0, 128, 255]], [])

    def test_a_window_of_the_file_wins(self) -> None:
        dataset = self.bits(0, 1)
        dataset.WindowCenter, dataset.WindowWidth, dataset.VOILUTFunction = 1, 2, "LINEAR_EXACT"
        assert render(dataset).display_values.tolist() == [[0, 128]]


class TestPresentationLutShape:
    """PS3.3 C.7.6.1 and C.8.11.3.1.2: IDENTITY shall be used with MONOCHROME2, INVERSE with MONOCHROME1."""

    def image(self, photometric: str, **attributes: Any) -> Dataset:
        stored = np.array([[0, 5, 10]], np.uint8)
        window = {"WindowCenter": 5, "WindowWidth": 10, "VOILUTFunction": "LINEAR_EXACT"}
        return builders.image(stored, PhotometricInterpretation=photometric, **window, **attributes)

    @pytest.mark.parametrize(
        ("photometric", "shape", "expected"),
        [
            ("MONOCHROME2", "IDENTITY", [0, 128, 255]),
            ("MONOCHROME1", "INVERSE", [255, 128, 0]),  # turned around once, not twice
        ],
    )
    def test_agrees_with_the_photometric_interpretation(
        self, photometric: str, shape: str, expected: list[int]
    ) -> None:
        rendered = render(self.image(photometric, PresentationLUTShape=shape))
        assert (rendered.display_values.tolist(), codes(rendered)) == ([expected], [])

    @pytest.mark.parametrize(
        ("photometric", "shape", "expected"),
        [("MONOCHROME2", "INVERSE", [0, 128, 255]), ("MONOCHROME1", "IDENTITY", [255, 128, 0])],
    )
    def test_where_it_contradicts_that_is_said_and_the_photometric_interpretation_decides(
        self, photometric: str, shape: str, expected: list[int]
    ) -> None:
        rendered = render(self.image(photometric, PresentationLUTShape=shape))
        assert (rendered.display_values.tolist(), codes(rendered)) == ([expected], ["polarity_contradiction"])

    def test_a_presentation_lut_is_not_for_images(self) -> None:
        table = Dataset()
        table.add_new("LUTDescriptor", "US", [2, 0, 8])
        table.add_new("LUTData", "US", [255, 0])
        rendered = render(self.image("MONOCHROME2", PresentationLUTSequence=Items([table])))
        assert (rendered.display_values.tolist(), codes(rendered)) == (
            [[0, 128, 255]],
            ["presentation_lut_ignored"],
        )


class TestColour:
    def test_stays_as_it_is(self) -> None:
        rgb = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
        rendered = render(builders.image(rgb, **WINDOW), Window(0, 1))
        assert rendered.display_values.tolist() == rgb.tolist()
        assert rendered.window is None

    @pytest.mark.parametrize("shape", [(2, 2, 3), (2, 2)], ids=["colour", "grey"])
    def test_a_colour_profile_is_not_applied_and_that_is_said(self, shape: tuple[int, ...]) -> None:
        dataset = builders.image(np.zeros(shape, np.uint8), ICCProfile=b"profile ", **WINDOW)
        assert codes(render(dataset)) == ["icc_profile_ignored"]

    def test_a_colour_profile_of_an_optical_path_is_not_applied_either(self) -> None:
        path = Items([item(OpticalPathIdentifier="1", ICCProfile=b"profile ")])
        assert codes(render(builders.image(np.zeros((2, 2, 3), np.uint8), OpticalPathSequence=path))) == [
            "icc_profile_ignored"
        ]

    @pytest.mark.parametrize(("photometric", "samples"), [("HSV", 3), ("ARGB", 4), ("CMYK", 4), ("XYB", 3)])
    def test_a_retired_or_unknown_colour_space_is_a_named_error(self, photometric: str, samples: int) -> None:
        dataset = builders.image(
            np.zeros((2, 2, samples), np.uint8), PlanarConfiguration=0, PhotometricInterpretation=photometric
        )
        with pytest.raises(UndecodableFrame, match=f"colour space '{photometric}' is not supported"):
            render(dataset)

    def test_ybr_full_422_gives_both_pixels_of_a_pair_their_common_colour(self) -> None:
        # Y1 Y2 Cb Cr; with Cb = Cr = 128 the greys are Y. Second pair: Cr 228 adds 1.402 x 100 to red.
        data = bytes([10, 20, 128, 128, 100, 50, 128, 228])
        dataset = builders.image(
            np.zeros((1, 4, 3), np.uint8), PhotometricInterpretation="YBR_FULL_422", PixelData=data
        )
        expected = np.array([[[10, 10, 10], [20, 20, 20], [240, 29, 100], [190, 0, 50]]])
        assert np.abs(render(dataset).display_values.astype(int) - expected).max() <= 1

    def test_ybr_partial_422_has_black_at_16(self) -> None:
        dataset = builders.image(
            np.zeros((1, 2, 3), np.uint8),
            PhotometricInterpretation="YBR_PARTIAL_422",
            PixelData=bytes([16, 235, 128, 128]),
        )
        assert render(dataset).display_values.tolist() == [[[0, 0, 0], [255, 255, 255]]]


class TestSamplesThatDoNotFit:
    @pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL", "YBR_RCT", "YBR_PARTIAL_422"])
    def test_one_sample_is_no_colour(self, photometric: str) -> None:
        _, header = prepare(builders.image(np.zeros((8, 8), np.uint8)))
        with pytest.raises(UndecodableFrame, match="no samples of a colour"):
            render_frame(DecodedFrame(np.zeros((8, 8), np.uint8), photometric), header, 0)

    @pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"])
    def test_three_samples_are_neither_grey_nor_a_place_in_a_palette(self, photometric: str) -> None:
        _, header = prepare(builders.image(np.zeros((8, 8, 3), np.uint8)))
        with pytest.raises(UndecodableFrame, match="Frame 1 of instance"):
            render_frame(DecodedFrame(np.zeros((8, 8, 3), np.uint8), photometric), header, 0)


class TestProperties:
    @given(arrays.arrays(np.int16, (4, 5)), st.sampled_from(["MONOCHROME1", "MONOCHROME2"]))
    def test_inputs_are_left_as_they_are(self, stored: np.ndarray, photometric: str) -> None:
        dataset = builders.image(stored, PhotometricInterpretation=photometric, PixelPaddingValue=0)
        frame, header = prepare(dataset)
        before, text = frame.stored_values.copy(), str(header.dataset)
        render_frame(frame, header, 0)
        np.testing.assert_array_equal(frame.stored_values, before)
        assert str(header.dataset) == text


class TestTableOfNegativeValues:
    def test_the_first_value_of_a_table_after_a_negative_intercept_is_signed(self) -> None:
        # 64512 is -1024 in 16 bits: the table begins at -1024 HU.
        table = Dataset()
        table.add_new("LUTDescriptor", "US", [3, 64512, 8])
        table.add_new("LUTData", "US", [10, 20, 30])
        dataset = builders.image(np.array([[0, 1, 2, 9]], np.uint16), RescaleIntercept=-1024, RescaleSlope=1)
        dataset.VOILUTSequence = Items([table])
        assert render(dataset).display_values.tolist() == [[10, 20, 30, 30]]


def test_a_palette_has_no_windows() -> None:
    dataset = builders.image(np.zeros((2, 2), np.uint8), PhotometricInterpretation="PALETTE COLOR", **WINDOW)
    assert windows_of(read_header(builders.stream(dataset))) == []


class TestSpacingAtTheDetector:
    """PS3.3 10.7.1.3: Imager Pixel Spacing is measured at the detector, behind the patient."""

    def test_is_told(self) -> None:
        dataset = builders.image(PixelSpacing=None, ImagerPixelSpacing=[0.2, 0.2], **WINDOW)
        assert codes(render(dataset)) == ["detector_spacing"]

    def test_with_the_estimated_magnification(self) -> None:
        dataset = builders.image(
            PixelSpacing=None,
            ImagerPixelSpacing=[0.2, 0.2],
            EstimatedRadiographicMagnificationFactor=1.3,
            **WINDOW,
        )
        assert "factor of 1.3" in render(dataset).warnings[0].message

    def test_pixel_spacing_that_only_repeats_it_is_no_other(self) -> None:
        dataset = builders.image(PixelSpacing=[0.2, 0.2], ImagerPixelSpacing=[0.2, 0.2], **WINDOW)
        assert codes(render(dataset)) == ["detector_spacing"]

    @pytest.mark.parametrize(
        ("spacing", "calibration"),
        [([0.15, 0.15], None), ([0.2, 0.2], "GEOMETRY")],
        ids=["other", "calibrated"],
    )
    def test_nothing_where_pixel_spacing_is_that_of_the_patient(
        self, spacing: list[float], calibration: str | None
    ) -> None:
        dataset = builders.image(
            PixelSpacing=spacing,
            ImagerPixelSpacing=[0.2, 0.2],
            PixelSpacingCalibrationType=calibration,
            **WINDOW,
        )
        assert codes(render(dataset)) == []

    def test_nothing_without_it(self) -> None:
        assert codes(render(builders.image(**WINDOW))) == []
