"""Numbers worked out by hand from PS3.3 C.11.2.1."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.lookup_table import LookupTable
from imageserver.dicom.reading import read_header
from imageserver.dicom.voi_lut import (
    VoiFunction,
    Window,
    apply_voi_lut,
    apply_window,
    guess_window,
    read_windows,
)
from tests import builders
from tests.builders import item

LINEAR, EXACT, SIGMOID = VoiFunction.LINEAR, VoiFunction.LINEAR_EXACT, VoiFunction.SIGMOID


def windows_of(dataset: Dataset, index: int = 0) -> list[Window]:
    return read_windows(FunctionalGroups(read_header(builders.stream(dataset)).dataset), index)


class TestLinear:
    @pytest.mark.parametrize(
        ("value", "intensity"),
        [
            # Center 40, width 400: the ramp runs from -160 to 239, both included.
            (-161, 0),
            (-160, 0),
            (-159, 1 / 399),
            (39.5, 0.5),
            (40, 0.5 / 399 + 0.5),
            (238, 398 / 399),
            (239, 1),
            (240, 1),
        ],
    )
    def test_both_edges(self, value: float, intensity: float) -> None:
        assert apply_window(np.array([value]), Window(40, 400))[0] == pytest.approx(intensity, abs=1e-12)

    def test_example_of_the_standard(self) -> None:
        # C.11.2.1.2.1: center 2048, width 4096 maps 0 ... 4095 to the whole range, one value each.
        values = apply_window(np.arange(4096), Window(2048, 4096)) * 4095
        np.testing.assert_allclose(values, np.arange(4096), atol=1e-9)

    def test_width_one_is_a_threshold(self) -> None:
        assert apply_window(np.array([99, 99.5, 99.6, 100]), Window(100, 1)).tolist() == [0, 0, 1, 1]


class TestLinearExact:
    @pytest.mark.parametrize(("value", "intensity"), [(-160, 0), (-60, 0.25), (40, 0.5), (240, 1), (241, 1)])
    def test_formula(self, value: float, intensity: float) -> None:
        assert apply_window(np.array([value]), Window(40, 400, EXACT))[0] == intensity

    def test_width_below_one(self) -> None:
        assert apply_window(np.array([0, 0.25, 0.5]), Window(0.25, 0.5, EXACT)).tolist() == [0, 0.5, 1]


class TestSigmoid:
    @pytest.mark.parametrize("value", [-160, 0, 40, 100, 1000])
    def test_formula(self, value: float) -> None:
        expected = 1 / (1 + math.exp(-4 * (value - 40) / 400))
        assert apply_window(np.array([value]), Window(40, 400, SIGMOID))[0] == pytest.approx(expected)

    def test_far_below_is_black_and_not_a_warning(self) -> None:
        assert apply_window(np.array([-1e9]), Window(0, 1, SIGMOID)).tolist() == [0]


class TestProperties:
    @given(
        st.lists(st.integers(-70000, 70000), min_size=2, max_size=30),
        st.floats(-5000, 5000),
        st.floats(1, 10000),
        st.sampled_from(VoiFunction),
    )
    def test_brighter_never_gets_darker(
        self, values: list[int], center: float, width: float, function: VoiFunction
    ) -> None:
        intensities = apply_window(np.array(sorted(values)), Window(center, width, function))
        assert np.all(np.diff(intensities) >= 0)
        assert 0 <= intensities.min() <= intensities.max() <= 1

    @given(st.lists(st.integers(0, 65535), min_size=1, max_size=30))
    def test_the_input_is_left_as_it_is(self, values: list[int]) -> None:
        array = np.array(values, np.uint16)
        array.flags.writeable = False
        for function in VoiFunction:
            apply_window(array, Window(100, 50, function))
        assert array.tolist() == values


class TestReadWindows:
    def test_all_are_offered_in_order(self) -> None:
        dataset = builders.image(
            WindowCenter=[40, -600], WindowWidth=[400, 1500], WindowCenterWidthExplanation=["SOFT", "LUNG"]
        )
        assert windows_of(dataset) == [Window(40, 400, LINEAR, "SOFT"), Window(-600, 1500, LINEAR, "LUNG")]

    def test_as_json(self) -> None:
        assert Window(40, 400, LINEAR, "SOFT").as_dict() == {
            "center": 40, "width": 400, "function": "LINEAR", "explanation": "SOFT",
        }  # fmt: skip

    @pytest.mark.parametrize("function", VoiFunction)
    def test_function(self, function: VoiFunction) -> None:
        dataset = builders.image(WindowCenter=1, WindowWidth=2, VOILUTFunction=function.value)
        assert windows_of(dataset)[0].function is function

    def test_a_linear_width_below_one_is_taken_exactly(self) -> None:
        assert windows_of(builders.image(WindowCenter=0.1, WindowWidth=0.2))[0].function is EXACT

    @pytest.mark.parametrize("width", [0, -5])
    def test_a_width_that_is_not_positive_is_left_out(self, width: float) -> None:
        assert windows_of(builders.image(WindowCenter=[1, 2], WindowWidth=[width, 9])) == [Window(2, 9)]

    def test_half_a_window_is_none(self) -> None:
        assert windows_of(builders.image(WindowCenter=1)) == []
        assert windows_of(builders.image(WindowCenter=[1, 2], WindowWidth=5)) == [Window(1, 5)]

    def test_of_a_frame(self) -> None:
        groups = [{"FrameVOILUTSequence": item(WindowCenter=c, WindowWidth=10)} for c in (5, 6)]
        dataset = builders.enhanced([(0, 0, 0), (0, 0, 1)], groups=groups)
        assert [windows_of(dataset, i) for i in (0, 1)] == [[Window(5, 10)], [Window(6, 10)]]


class TestTable:
    def test_bits_tell_what_is_white(self) -> None:
        table = LookupTable(first=10, entries=np.array([0, 1023, 4095], np.uint16), bits=12)
        intensities = apply_voi_lut(np.array([-5, 10, 11.9, 12, 99]), table)
        assert intensities.tolist() == [0, 0, 1023 / 4095, 1, 1]

    def test_entries_beyond_their_bits_are_white(self) -> None:
        assert apply_voi_lut(np.array([0]), LookupTable(0, np.array([300], np.uint16), 8)).tolist() == [1]


class TestGuessWindow:
    def test_spans_the_percentiles(self) -> None:
        window = guess_window(np.arange(1001))  # 0.5 % and 99.5 % of 0 ... 1000
        assert window == Window(500, 990, EXACT)

    def test_a_mask_spans_both_values(self) -> None:
        mask = np.zeros(10_000, np.uint8)
        mask[0] = 1
        assert guess_window(mask) == Window(0.5, 1, EXACT)

    def test_not_a_number_is_left_out(self) -> None:
        assert guess_window(np.array([np.nan, 1.0, np.inf, 3.0, 1.0, 3.0])) == Window(2, 2, EXACT)

    @pytest.mark.parametrize("values", [[5, 5, 5], [], [np.nan]], ids=str)
    def test_nothing_to_guess(self, values: list[float]) -> None:
        assert guess_window(np.array(values)) is None
