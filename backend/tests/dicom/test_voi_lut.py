"""Numbers worked out by hand from PS3.3 C.11.2.1."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from imageserver.dicom.functional_groups import FunctionalGroups
from imageserver.dicom.lookup_table import LookupTable
from imageserver.dicom.reading import read_header
from imageserver.dicom.voi_lut import (
    VoiFunction,
    Window,
    apply_voi_lut,
    apply_window,
    guess_window,
    is_first_window_unusable,
    read_voi_lut,
    read_windows,
    thin_out,
    voi_lut_items,
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

    def test_hand_worked(self) -> None:
        # Center 0, width 4: 1 / (1 + exp(-v)); exp(-ln 3) is 1 / 3, and 1 / (1 + 1 / 3) is 3 / 4.
        values = np.array([0, math.log(3), -math.log(3)])
        assert apply_window(values, Window(0, 4, SIGMOID)).tolist() == pytest.approx([0.5, 0.75, 0.25])

    def test_far_below_is_black_and_not_a_warning(self) -> None:
        assert apply_window(np.array([-1e9]), Window(0, 1, SIGMOID)).tolist() == [0]


class TestExtremeValues:
    @pytest.mark.parametrize("function", VoiFunction)
    def test_infinity_is_the_end_of_the_ramp_and_no_number_stays_none(self, function: VoiFunction) -> None:
        values = np.array([-np.inf, -1.7e308, 1.7e308, np.inf])
        assert apply_window(values, Window(0, 1.5, function)).tolist() == [0, 0, 1, 1]
        assert np.isnan(apply_window(np.array([np.nan]), Window(0, 1.5, function)))[0]

    def test_of_a_guess(self) -> None:
        window = guess_window(np.array([-1.7e308, 1.7e308]))
        assert window is not None
        assert apply_window(np.array([-1.7e308, 1.7e308]), window).tolist() == pytest.approx([0, 1], abs=0.06)


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

    @pytest.mark.parametrize(
        ("written", "meant"),
        [("sigmoid", SIGMOID), ("Linear_Exact", EXACT), ("SAMPLED", LINEAR), ("", LINEAR)],
    )
    def test_function_in_another_spelling_or_unknown(self, written: str, meant: VoiFunction) -> None:
        dataset = builders.image(WindowCenter=1, WindowWidth=2)
        dataset.add_new("VOILUTFunction", "CS", written)
        assert windows_of(dataset)[0].function is meant

    def test_a_linear_width_below_one_is_taken_exactly(self) -> None:
        assert windows_of(builders.image(WindowCenter=0.1, WindowWidth=0.2))[0].function is EXACT

    @pytest.mark.parametrize("width", [0, -5])
    def test_a_width_that_is_not_positive_is_left_out(self, width: float) -> None:
        assert windows_of(builders.image(WindowCenter=[1, 2], WindowWidth=[width, 9])) == [Window(2, 9)]

    @pytest.mark.parametrize(
        ("centers", "widths"),
        [("x\\40", "10\\400"), ("\\40", "\\400"), ("-1000\\40", "0\\400"), ("1e999\\40", "5\\400")],
        ids=["malformed", "empty", "width 0", "no finite number"],
    )
    def test_one_unusable_window_does_not_take_the_others_along(self, centers: str, widths: str) -> None:
        dataset = builders.image(WindowCenterWidthExplanation=["BONE", "SOFT"])
        dataset.add_new("WindowCenter", "LO", centers)
        dataset.add_new("WindowWidth", "LO", widths)
        assert windows_of(dataset) == [Window(40, 400, LINEAR, "SOFT")]
        assert is_first_window_unusable(FunctionalGroups(dataset), 0)

    def test_half_a_window_is_none(self) -> None:
        assert windows_of(builders.image(WindowCenter=1)) == []
        assert windows_of(builders.image(WindowCenter=[1, 2], WindowWidth=5)) == [Window(1, 5)]

    def test_of_a_frame(self) -> None:
        groups = [{"FrameVOILUTSequence": item(WindowCenter=c, WindowWidth=10)} for c in (5, 6)]
        dataset = builders.enhanced([(0, 0, 0), (0, 0, 1)], groups=groups)
        assert [windows_of(dataset, i) for i in (0, 1)] == [[Window(5, 10)], [Window(6, 10)]]


class TestReadTable:
    def table(self, *entries: int, bits: int = 8, **descriptor: int) -> Dataset:
        found = Dataset()
        found.add_new("LUTDescriptor", "US", [descriptor.get("count", len(entries)), 0, bits])
        found.add_new("LUTData", "US", list(entries))
        return found

    def read(self, dataset: Dataset, index: int = 0) -> list[int] | None:
        header = read_header(builders.stream(dataset))
        sequence = voi_lut_items(header.dataset, FunctionalGroups(header.dataset), index)
        table = read_voi_lut(sequence, signed=False)
        return None if table is None else table.entries.tolist()

    def test_the_first_usable_one(self) -> None:
        sequence = Items([self.table(1, 2, count=900), self.table(3, 4), self.table(5, 6)])
        assert self.read(builders.image(VOILUTSequence=sequence)) == [3, 4]

    def test_of_a_frame(self) -> None:
        # PS3.3 C.7.6.16.2.10b: Frame VOI LUT With LUT has a table or a window.
        own = item(VOILUTSequence=Items([self.table(7, 8)]))
        groups = [
            {"FrameVOILUTSequence": own},
            {"FrameVOILUTSequence": item(WindowCenter=1, WindowWidth=2)},
            {},
        ]
        places = [(0, 0, 0), (0, 0, 1), (0, 0, 2)]
        dataset = builders.enhanced(places, groups=groups, VOILUTSequence=Items([self.table(5, 6)]))
        assert [self.read(dataset, index) for index in range(3)] == [[7, 8], None, [5, 6]]


class TestTable:
    def test_bits_tell_what_is_white(self) -> None:
        table = LookupTable(first=10, entries=np.array([0, 1023, 4095], np.uint16), bits=12)
        intensities = apply_voi_lut(np.array([-5, 10, 11.9, 12, 99]), table)
        assert intensities.tolist() == [0, 0, 1023 / 4095, 1, 1]

    def test_entries_beyond_their_bits_are_white(self) -> None:
        assert apply_voi_lut(np.array([0]), LookupTable(0, np.array([300], np.uint16), 8)).tolist() == [1]


class TestThinOut:
    def test_few_values_stay(self) -> None:
        values = np.arange(12, dtype=np.int16).reshape(3, 4)
        assert thin_out(values).tolist() == list(range(12))

    def test_of_many_the_extremes_stay(self) -> None:
        values = np.full((3000, 3001), 7, np.int16)
        values[1, 1], values[2999, 3000] = -9, 9999
        thinned = thin_out(values)
        assert (thinned.dtype, thinned.min(), thinned.max()) == (values.dtype, -9, 9999)
        assert thinned.size <= 2_000_002

    def test_a_mask_of_many_values_spans_both(self) -> None:
        mask = np.zeros((2000, 2000), np.uint8)
        mask[1, 1] = 1
        assert guess_window(thin_out(mask)) == Window(0.5, 1, EXACT)


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
