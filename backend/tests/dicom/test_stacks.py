"""Which slice is the middle one, and why. Positions are plain numbers, so that the answer can be counted off."""

import json
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imageserver.dicom.arrangement import Arrangement, Ordering, Verdict
from imageserver.dicom.frames import FrameDescription
from imageserver.dicom.stacks import arrange
from tests.builders import CORONAL, SAGITTAL
from tests.dicom.described import axial, codes, frame, middle, named


class TestVolume:
    @pytest.mark.parametrize(("count", "index"), [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (10, 5), (21, 10)])
    def test_the_middle_is_the_upper_of_two_when_even(self, count: int, index: int) -> None:
        arrangement = arrange(axial(range(count)))
        assert arrangement.middle is not None
        assert (arrangement.middle.index, arrangement.middle.count) == (index, count)
        assert middle(arrangement) == f"z{index}"

    def test_position_decides_and_not_the_instance_number(self) -> None:
        slices = [frame(z, number) for z, number in ((0, 3), (2, 5), (4, 1), (6, 2), (8, 4))]
        arrangement = arrange(slices)
        assert [f.sop_instance_uid for f in arrangement.frames] == ["z0", "z2", "z4", "z6", "z8"]
        assert (arrangement.verdict, arrangement.ordering) == (Verdict.VOLUME, Ordering.POSITION)
        assert arrangement.stacks[0].slice_spacing_mm == 2
        assert (arrangement.warnings, arrangement.excluded) == ((), ())

    @pytest.mark.parametrize(
        "numbers", [[1] * 5, [None] * 5, [5, 4, 3, 2, 1]], ids=["equal", "missing", "reversed"]
    )
    def test_instance_numbers_do_not_matter(self, numbers: list[int | None]) -> None:
        assert middle(arrange([frame(z, n) for z, n in zip(range(5), numbers, strict=True)])) == "z2"

    def test_a_sagittal_stack_is_ordered_along_its_normal_towards_the_right(self) -> None:
        # Row x column of these cosines is (-1, 0, 0): ascending along the normal is descending x.
        slices = [
            frame(0, name=f"x{x}", position=(float(x), 0.0, 0.0), orientation=SAGITTAL) for x in range(5)
        ]
        assert [f.sop_instance_uid for f in arrange(slices).frames] == ["x4", "x3", "x2", "x1", "x0"]

    def test_an_oblique_stack(self) -> None:
        # Turned by 45 degrees about x; the normal is (0, -0.7071, 0.7071).
        cosines = (1.0, 0.0, 0.0, 0.0, 0.7071, 0.7071)
        slices = [
            frame(0, name=f"s{i}", position=(0.0, -0.7071 * 3 * i, 0.7071 * 3 * i), orientation=cosines)
            for i in (2, 0, 3, 1, 4)
        ]
        arrangement = arrange(slices)
        assert [f.sop_instance_uid for f in arrangement.frames] == ["s0", "s1", "s2", "s3", "s4"]
        assert arrangement.stacks[0].slice_spacing_mm == pytest.approx(3, abs=1e-3)
        assert arrangement.verdict is Verdict.VOLUME

    def test_frames_of_one_enhanced_object_in_any_stored_order(self) -> None:
        slices = [
            frame(z, 1, name="one", frame_number=n + 1, is_multiframe=True)
            for n, z in enumerate((8, 0, 4, 2, 6))
        ]
        arrangement = arrange(slices)
        assert arrangement.middle is not None
        assert arrangement.middle.frame_number == 3
        assert [f.frame_number for f in arrangement.frames] == [2, 4, 3, 5, 1]

    def test_the_sentence_counts_from_one(self) -> None:
        assert arrange(axial(range(10))).explanation.startswith("Slice 6 of 10, ordered by position")


class TestIrregularities:
    def test_a_gap_is_named(self) -> None:
        arrangement = arrange(axial([0, 2, 4, 8, 10]))
        assert arrangement.verdict is Verdict.VOLUME_VARIABLE_SPACING
        assert codes(arrangement.warnings) == ["gap"], "the steps are even but for the gap"
        [gap] = arrangement.warnings
        assert gap.sop_instance_uids == ("z4", "z8")
        assert gap.message == (
            "Between slices 3 and 4 there are 4.00 mm, elsewhere 2.00 mm: 1 slice may be missing."
        )
        assert gap.numbers == {
            "gaps": 1, "after_slice": 3, "gap_mm": 4, "spacing_mm": 2, "missing_slices": 1,
        }  # fmt: skip

    def test_all_missing_slices_are_counted(self) -> None:
        gap = named(arrange(axial([0, 2, 4, 10, 12, 14, 18, 20])).warnings, "gap")
        assert (gap.numbers["gaps"], gap.numbers["missing_slices"]) == (2, 2 + 1)
        assert "2 slices may be missing. There are 2 such gaps." in gap.message

    def test_a_gap_of_no_whole_number_of_steps(self) -> None:
        gap = named(arrange(axial([0, 2, 4, 9, 11])).warnings, "gap")
        assert gap.message.endswith("slices may be missing.")
        assert "1 slice" not in gap.message

    def test_a_gap_in_a_segment_is_where_it_is_not(self) -> None:
        slices = axial([0, 2, 4, 8, 10], splitting={"segment": "1"})
        assert "leave out slices without the segment" in named(arrange(slices).warnings, "gap").message

    def test_a_duplicate_position_stays_and_is_named(self) -> None:
        arrangement = arrange([*axial([0, 2, 4, 6]), frame(4, 9, "again")])
        assert len(arrangement.stacks) == 1
        assert len(arrangement.frames) == 5
        duplicates = next(w for w in arrangement.warnings if w.code == "duplicate_positions")
        assert set(duplicates.sop_instance_uids) == {"z4", "again"}
        assert duplicates.numbers == {"images": 2, "positions": 1}
        assert arrangement.stacks[0].affine is None

    def test_images_at_one_place_stand_in_the_order_of_their_numbers(self) -> None:
        again = [frame(4, number, f"again{number}", frame_number=9 - number) for number in (7, 3, 5)]
        order = [f.sop_instance_uid for f in arrange([*axial([0, 2, 6]), *again]).frames]
        assert order == ["z0", "z2", "again3", "again5", "again7", "z6"]

    def test_variable_spacing(self) -> None:
        arrangement = arrange(axial([0, 2, 4.3, 6.3]))
        assert codes(arrangement.warnings) == ["variable_spacing"]
        assert arrangement.warnings[0].numbers == {"smallest_mm": 2, "median_mm": 2, "largest_mm": 2.3}
        assert arrangement.stacks[0].affine is None, "no one matrix places uneven slices"

    def test_rounding_of_positions_is_no_finding(self) -> None:
        assert arrange(axial([0, 3.6, 7.201, 10.8, 14.399])).warnings == ()

    def test_gantry_tilt(self) -> None:
        slices = [frame(0, i, f"s{i}", position=(0.0, 0.7 * i, 2.0 * i)) for i in range(5)]
        arrangement = arrange(slices)
        assert (arrangement.verdict, codes(arrangement.warnings)) == (Verdict.VOLUME_TILTED, ["tilted"])
        assert "19.3 degrees" in arrangement.warnings[0].message  # atan(0.7 / 2)
        assert arrangement.warnings[0].numbers == {"tilt_degrees": 19.29}

    def test_one_slice_beside_the_line_is_named_and_is_no_tilt(self) -> None:
        places = [(12.0 if i == 9 else 0.0, 0.0, 2.0 * i) for i in range(10)]
        arrangement = arrange([frame(0, i, f"s{i}", position=place) for i, place in enumerate(places)])
        assert (arrangement.verdict, middle(arrangement)) == (Verdict.VOLUME, "s5")
        [warning] = arrangement.warnings
        assert (warning.code, warning.sop_instance_uids) == ("beside_the_line", ("s9",))
        assert warning.message == "Slice 10 lies 12.00 mm beside the line through the others."
        assert warning.numbers == {"images": 1, "first_slice": 10, "beside_mm": 12}
        assert arrangement.stacks[0].affine is None

    def test_a_spacing_tag_that_contradicts_the_positions(self) -> None:
        arrangement = arrange(axial([0, 2, 4, 6], spacing_between_slices_mm=5.0))
        assert codes(arrangement.warnings) == ["spacing_mismatch"]
        assert arrangement.warnings[0].numbers == {"tag_mm": 5, "measured_mm": 2}
        assert arrange(axial([0, 2, 4, 6], spacing_between_slices_mm=2.0)).warnings == ()

    def test_several_frames_of_reference(self) -> None:
        first = axial(range(9), splitting={"frame_of_reference": "1.2"})
        other = frame(9, 10, splitting={"frame_of_reference": "1.1"})
        arrangement = arrange([*first, other])
        assert (arrangement.verdict, middle(arrangement)) == (Verdict.VOLUME, "z5")
        [warning] = arrangement.warnings
        assert (warning.code, warning.sop_instance_uids) == ("several_frames_of_reference", ("z9",))
        assert warning.numbers == {"frames_of_reference": 2, "images": 1}

    def test_two_volumes_in_one_place_differ_by_their_frame_of_reference(self) -> None:
        slices = [
            frame(z, z, f"{uid}@{z}", splitting={"frame_of_reference": uid})
            for uid in ("1.2", "1.3")
            for z in range(5)
        ]
        arrangement = arrange(slices)
        assert [s.differs_by for s in arrangement.stacks] == [
            "frame of reference 1.2",
            "frame of reference 1.3",
        ]
        assert codes(arrangement.warnings) == ["several_frames_of_reference"]

    def test_one_slice_without_position_is_left_out_and_named(self) -> None:
        arrangement = arrange([*axial(range(9)), frame(None, 10, "lost")])
        assert middle(arrangement) == "z4"
        assert [(f.code, f.sop_instance_uids) for f in arrangement.excluded] == [
            ("missing_position", ("lost",))
        ]

    def test_one_slice_of_another_size_is_left_out_and_named(self) -> None:
        arrangement = arrange([*axial(range(9)), frame(9, 10, "big", rows=8, columns=8)])
        assert arrangement.middle is not None
        assert arrangement.middle.count == 9
        assert [(f.code, f.sop_instance_uids) for f in arrangement.excluded] == [("other_size", ("big",))]
        assert "8 × 8 instead of 4 × 4 pixels" in arrangement.excluded[0].message
        assert arrangement.excluded[0].numbers == {
            "images": 1, "rows": 8, "columns": 8, "expected_rows": 4, "expected_columns": 4,
        }  # fmt: skip

    def test_a_scout_in_the_series_is_left_out(self) -> None:
        scout = frame(0, 10, "scout", orientation=CORONAL)
        arrangement = arrange([*axial(range(9)), scout])
        assert (arrangement.verdict, middle(arrangement)) == (Verdict.VOLUME, "z4")
        assert codes(arrangement.excluded) == ["other_geometry"]
        assert arrangement.stacks[1].differs_by == "coronal"


class TestAffine:
    """Index to position by PS3.3 equation C.7.6.2.1-1, worked out by hand."""

    def test_of_a_volume(self) -> None:
        slices = [
            frame(z, name=f"{z}", position=(1.0, 2.0, float(z)), row_spacing_mm=0.5, column_spacing_mm=0.25)
            for z in (30, 34, 38)
        ]
        matrix = arrange(slices).stacks[0].affine
        assert matrix == ((0.25, 0, 0, 1), (0, 0.5, 0, 2), (0, 0, 4, 30), (0, 0, 0, 1))

    def test_of_a_tilted_volume(self) -> None:
        slices = [frame(0, i, f"s{i}", position=(0.0, 0.5 * i, 2.0 * i)) for i in range(5)]
        matrix = arrange(slices).stacks[0].affine
        assert matrix is not None
        assert [row[2] for row in matrix] == [0, 0.5, 2, 0]

    def test_of_one_slice_has_no_step(self) -> None:
        matrix = arrange([frame(7)]).stacks[0].affine
        assert matrix == ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 7), (0, 0, 0, 1))

    @pytest.mark.parametrize("lacking", [{"orientation": None}, {"row_spacing_mm": None}], ids=str)
    def test_without_axes_or_spacing_there_is_none(self, lacking: dict[str, Any]) -> None:
        assert arrange(axial(range(4), **lacking)).stacks[0].affine is None


class TestOrientation:
    def test_corrected_cosines_are_named(self) -> None:
        arrangement = arrange(axial(range(5), written_orientation=(1.02, 0, 0, 0, 1.02, 0)))
        assert (arrangement.verdict, middle(arrangement)) == (Verdict.VOLUME, "z2")
        assert codes(arrangement.warnings) == ["inexact_orientation"]
        assert len(arrangement.warnings[0].sop_instance_uids) == 5

    def test_cosines_that_are_no_axes_are_named(self) -> None:
        bad = frame(2, 10, "bad", orientation=None, written_orientation=(1, 0, 0, 1, 0, 0))
        arrangement = arrange([*axial(range(9)), bad])
        assert (arrangement.verdict, middle(arrangement)) == (Verdict.VOLUME, "z4")
        assert [(w.code, w.sop_instance_uids) for w in arrangement.warnings] == [
            ("bad_orientation", ("bad",))
        ]

    def test_without_orientation_the_line_through_the_positions_orders(self) -> None:
        slices = [frame(5 * z, (z * 3) % 10, f"s{z}", orientation=None) for z in range(10)]
        arrangement = arrange(slices)
        assert (arrangement.verdict, arrangement.ordering) == (Verdict.VOLUME, Ordering.POSITION)
        assert [f.sop_instance_uid for f in arrangement.frames] == [f"s{z}" for z in range(10)]
        assert codes(arrangement.warnings) == ["missing_orientation"]
        assert "along the line through the slices" in arrangement.explanation
        assert arrangement.stacks[0].orientation_labels is None

    def test_positions_on_no_line_give_no_order_and_the_sentence_says_so(self) -> None:
        places = [(0.0, 0.0, 0.0), (9.0, 0.0, 0.0), (0.0, 9.0, 4.0)]
        slices = [frame(0, n, f"s{n}", orientation=None, position=place) for n, place in enumerate(places)]
        arrangement = arrange(slices)
        assert (arrangement.verdict, middle(arrangement)) == (Verdict.NO_GEOMETRY, "s1")
        assert codes(arrangement.warnings) == ["missing_orientation", "unordered_position"]
        assert "have no position" not in arrangement.explanation


class TestRepeatedPositions:
    def repeated(self, name: str, values: Sequence[str | None]) -> list[FrameDescription]:
        """Four positions for each value; instance numbers run over positions first."""
        return [
            frame(z, len(values) * i + k, f"{value}@{z}", splitting={name: value} if value else {})
            for k, value in enumerate(values)
            for i, z in enumerate(range(0, 8, 2))
        ]

    @pytest.mark.parametrize(
        "name", ["temporal_position", "acquisition", "echo", "b_value", "time", "image_type"]
    )
    def test_are_split_by_the_attribute_that_separates_them(self, name: str) -> None:
        arrangement = arrange(self.repeated(name, ["10", "9", "200"]))
        assert arrangement.verdict is Verdict.VOLUME_4D
        assert [f.sop_instance_uid for f in arrangement.frames] == ["9@0", "9@2", "9@4", "9@6"]
        assert [s.middle.sop_instance_uid for s in arrangement.stacks] == ["9@4", "10@4", "200@4"]
        assert arrangement.stacks[0].differs_by is not None
        assert "9" in arrangement.stacks[0].differs_by

    def test_two_attributes_together(self) -> None:
        slices = [
            frame(z, 0, f"{t}{e}@{z}", splitting={"temporal_position": t, "echo": e})
            for t in "12" for e in "12" for z in range(4)
        ]  # fmt: skip
        assert [s.differs_by for s in arrange(slices).stacks] == [
            "time point 1, echo 1", "time point 1, echo 2", "time point 2, echo 1", "time point 2, echo 2",
        ]  # fmt: skip

    def test_a_time_that_differs_on_every_slice_splits_nothing(self) -> None:
        slices = [
            frame(z, 10 * k + z, f"{k}@{z}", splitting={"acquisition_time": f"12{k}{z}"})
            for k in range(2)
            for z in range(4)
        ]
        arrangement = arrange(slices)
        assert [s.count for s in arrangement.stacks] == [4, 4]

    def test_without_an_attribute_the_turn_at_each_position_splits(self) -> None:
        slices = [frame(z, 10 * k + z, f"{k}@{z}") for k in range(2) for z in range(4)]
        arrangement = arrange(slices)
        assert [[f.sop_instance_uid for f in s.frames] for s in arrangement.stacks] == [
            ["0@0", "0@1", "0@2", "0@3"],
            ["1@0", "1@1", "1@2", "1@3"],
        ]
        assert arrangement.warnings == ()

    def test_a_missing_value_sorts_last(self) -> None:
        arrangement = arrange(self.repeated("echo", [None, "1"]))
        assert [s.differs_by for s in arrangement.stacks] == ["echo 1", "no echo"]

    @pytest.mark.parametrize("jitter", [0.005, 0.02, 0.15])
    def test_positions_that_scatter_are_repeated_ones(self, jitter: float) -> None:
        # As after motion correction: each volume lies a little elsewhere, by less than a tenth of a step.
        slices = [
            frame(5 * i + jitter * t, 3 * i + t, f"{t}@{i}", splitting={"temporal_position": str(t)})
            for i in range(10)
            for t in range(3)
        ]
        arrangement = arrange(slices)
        assert (arrangement.verdict, middle(arrangement)) == (Verdict.VOLUME_4D, "0@5")
        assert [s.count for s in arrangement.stacks] == [10, 10, 10]
        assert arrangement.warnings == ()

    def test_positions_that_scatter_at_random(self) -> None:
        scatter = random.Random(1)
        slices = [
            frame(3 * i + scatter.uniform(-0.1, 0.1), None, f"{echo}@{i}", splitting={"echo": echo})
            for i in range(12)
            for echo in "123"
        ]
        arrangement = arrange(slices)
        assert [s.count for s in arrangement.stacks] == [12, 12, 12]
        assert [f.sop_instance_uid for f in arrangement.frames] == [f"1@{i}" for i in range(12)]

    def test_pairs_of_slices_are_no_scatter(self) -> None:
        # Thin pairs every centimetre: 1 mm is no jitter, even if it is little against 10 mm.
        places = [10 * i + d for i in range(6) for d in (0, 1)]
        assert [s.count for s in arrange(axial(places)).stacks] == [12]

    def test_a_slice_that_was_scanned_again_is_not_the_volume(self) -> None:
        volume = [frame(5 * i, i + 1, f"v{i}", splitting={"acquisition": "2"}) for i in range(10)]
        again = frame(0, 50, "again", splitting={"acquisition": "1"})
        arrangement = arrange([*volume, again])
        assert (arrangement.verdict, middle(arrangement)) == (Verdict.VOLUME, "v5")
        assert [s.count for s in arrangement.stacks] == [10, 1]
        [warning] = arrangement.warnings
        assert (warning.code, warning.sop_instance_uids) == ("incomplete_stack", ("again",))
        assert "1 of 10 positions" in warning.message

    def test_an_aborted_run_comes_behind_the_whole_one(self) -> None:
        runs = {"1": 2, "2": 20, "3": 1}
        slices = [
            frame(5 * i, i, f"{run}@{i}", splitting={"acquisition": run})
            for run, count in runs.items()
            for i in range(count)
        ]
        arrangement = arrange(slices)
        assert middle(arrangement) == "2@10"
        assert [s.differs_by for s in arrangement.stacks] == [f"acquisition {run}" for run in "213"]
        assert arrangement.warnings[0].sop_instance_uids == ("1@0", "1@1", "3@0")

    @pytest.mark.parametrize("derived", [5, 20])
    def test_original_images_come_before_derived_ones(self, derived: int) -> None:
        slices = [frame(i, i, f"o{i}", splitting={"image_type": "ORIGINAL\\PRIMARY"}) for i in range(20)]
        slices += [
            frame(i, i, f"d{i}", splitting={"image_type": "DERIVED\\SECONDARY"}) for i in range(derived)
        ]
        assert middle(arrange(slices)) == "o10"

    def test_original_images_come_first_whatever_else_differs(self) -> None:
        types = {"1": "DERIVED\\PRIMARY", "2": "ORIGINAL\\PRIMARY"}
        slices = [
            frame(i, i, f"{number}@{i}", splitting={"acquisition": number, "image_type": kind})
            for number, kind in types.items()
            for i in range(6)
        ]
        assert middle(arrange(slices)) == "2@3"

    def test_kernels_of_unequal_length(self) -> None:
        counts = {"SHARP": 10, "SOFT": 8}
        slices = [
            frame(5 * i, i, f"{kernel}{i}", splitting={"convolution_kernel": kernel})
            for kernel, count in counts.items()
            for i in range(count)
        ]
        arrangement = arrange(slices)
        assert middle(arrangement) == "SHARP5"
        assert [s.differs_by for s in arrangement.stacks] == ["kernel SHARP", "kernel SOFT"]

    def test_runs_that_share_one_position_are_one_volume(self) -> None:
        slices = [
            frame(z, z, f"{run}@{z}", splitting={"acquisition": run})
            for run, places in {"1": range(11), "2": range(10, 20)}.items()
            for z in places
        ]
        arrangement = arrange(slices)
        assert [s.count for s in arrangement.stacks] == [21]
        assert codes(arrangement.warnings) == ["duplicate_positions"]

    def test_a_time_point_that_lacks_a_slice_is_named(self) -> None:
        slices = [
            frame(z, z, f"{t}@{z}", splitting={"temporal_position": t})
            for t, count in (("1", 10), ("2", 9), ("3", 10))
            for z in range(count)
        ]
        arrangement = arrange(slices)
        assert arrangement.verdict is Verdict.VOLUME_4D
        [warning] = arrangement.warnings
        assert warning.code == "unequal_stacks"
        assert warning.message == "1 stack has fewer than 10 positions: time point 2 has 9."
        assert warning.numbers == {"stacks": 1, "positions": 10, "fewest": 9}

    def test_what_all_stacks_share_is_said_once(self) -> None:
        slices = [
            frame(z, z, f"{t}@{z}", splitting={"temporal_position": t})
            for t in "12"
            for z in (0, 2, 4, 8, 10)
        ]
        [gap] = arrange(slices).warnings
        assert (gap.code, gap.numbers["stacks"]) == ("gap", 2)
        assert gap.message.endswith("So it is in 2 stacks; these are the figures of the first.")
        assert gap.sop_instance_uids == ("1@4", "1@8", "2@4", "2@8")

    def test_two_fields_of_view_in_one_plane_are_two_stacks(self) -> None:
        # Both hips: the same planes, 200 mm apart; the left one has a slice more.
        hips = [
            frame(0, 10 * i, f"{side}{i}", position=(x, 0.0, 3.0 * i))
            for side, x, count in (("right", -100.0, 9), ("left", 100.0, 10))
            for i in range(count)
        ]
        arrangement = arrange(hips)
        assert [f.sop_instance_uid for f in arrangement.frames] == [f"right{i}" for i in range(9)]
        assert [(s.differs_by, s.count) for s in arrangement.stacks] == [
            ("place 1 in the plane", 9),
            ("place 2 in the plane", 10),
        ]
        assert codes(arrangement.warnings) == ["unequal_stacks"]
        assert all(stack.affine for stack in arrangement.stacks)

    def test_a_tilted_volume_at_several_times_is_not_side_by_side(self) -> None:
        slices = [
            frame(0, i, f"{t}@{i}", position=(0.0, 4.0 * i, 2.0 * i), splitting={"temporal_position": t})
            for t in "12"
            for i in range(5)
        ]
        assert [s.differs_by for s in arrange(slices).stacks] == ["time point 1", "time point 2"]

    def test_a_mosaic_is_named(self) -> None:
        kind = {"image_type": "ORIGINAL\\PRIMARY\\M\\ND\\MOSAIC"}
        arrangement = arrange([frame(3, n, f"t{n}", splitting=kind) for n in range(4)])
        assert (arrangement.verdict, codes(arrangement.warnings)) == (Verdict.CINE, ["mosaic"])
        assert arrangement.warnings[0].numbers == {"images": 4}

    def test_one_place_over_time_has_no_middle_in_space(self) -> None:
        phases = [frame(5, n, f"t{n}", splitting={"cardiac_phase": str(n)}) for n in range(1, 11)]
        arrangement = arrange(phases)
        assert (arrangement.verdict, arrangement.ordering) == (Verdict.CINE, Ordering.INSTANCE_NUMBER)
        assert middle(arrangement) == "t6"


class TestWithoutCommonOrder:
    def localizer(self) -> list[FrameDescription]:
        """Three sagittal images, one coronal, one axial; numbers in that order, gaps unequal."""
        sagittal = [
            frame(0, n, f"sag{n}", position=(x, 0.0, 0.0), orientation=SAGITTAL)
            for n, x in ((1, -30.0), (2, 0.0), (3, 10.0))
        ]
        return [*sagittal, frame(0, 4, "cor", orientation=CORONAL), frame(0, 5, "axi")]

    def test_a_localizer_is_ordered_by_instance_number(self) -> None:
        arrangement = arrange(self.localizer())
        assert (arrangement.verdict, arrangement.ordering) == (Verdict.LOCALIZER, Ordering.INSTANCE_NUMBER)
        assert arrangement.middle is not None
        assert (arrangement.middle.stack, arrangement.middle.index, middle(arrangement)) == (None, 2, "sag3")
        assert "no common direction" in arrangement.explanation

    def test_the_sentence_names_what_differs(self) -> None:
        slices = axial(range(10))
        half = [replace(f, row_spacing_mm=None, column_spacing_mm=None) for f in slices[5:]]
        explanation = arrange([*slices[:5], *half]).explanation
        assert "different sizes or pixel spacings, or without one" in explanation
        assert "direction" not in explanation
        big = [replace(f, rows=8) for f in slices[5:]]
        assert "2 stacks of different sizes" in arrange([*slices[:5], *big]).explanation

    def test_each_group_offers_its_own_middle(self) -> None:
        stacks = arrange(self.localizer()).stacks
        assert [s.middle.sop_instance_uid for s in stacks] == ["sag2", "cor", "axi"]
        assert [s.differs_by for s in stacks] == ["sagittal", "coronal", "axial"]

    def test_stacks_that_the_same_words_describe_are_numbered(self) -> None:
        tilted = (1.0, 0.0, 0.0, 0.0, 0.1, -0.995)
        slices = [
            frame(0, 1, "a", orientation=CORONAL),
            frame(0, 2, "b", orientation=tilted),
            frame(0, 3, "c"),
        ]
        words = {s.middle.sop_instance_uid: s.differs_by for s in arrange(slices).stacks}
        assert words == {"a": "coronal, 1 of 2", "b": "coronal, 2 of 2", "c": "axial"}

    @pytest.mark.parametrize(("cosine", "is_one"), [(0.008, True), (0.02, False)])
    def test_cosines_within_a_hundredth_are_one_direction(self, cosine: float, is_one: bool) -> None:
        turned = (1.0, cosine, 0.0, -cosine, 1.0, 0.0)
        slices = [*axial(range(5)), *(frame(z, z, orientation=turned) for z in range(5, 10))]
        assert (arrange(slices).verdict is Verdict.VOLUME) is is_one

    @pytest.mark.parametrize(("spacing", "is_one"), [(1.008, True), (1.02, False)])
    def test_pixel_spacings_within_a_hundredth_are_one(self, spacing: float, is_one: bool) -> None:
        slices = [*axial(range(5)), *(frame(z, z, column_spacing_mm=spacing) for z in range(5, 10))]
        assert (arrange(slices).verdict is Verdict.VOLUME) is is_one

    def test_less_than_80_percent_is_no_volume(self) -> None:
        slices = [*axial(range(7)), *(frame(0, 10 + i, f"c{i}", orientation=CORONAL) for i in range(2))]
        assert arrange(slices).verdict is Verdict.LOCALIZER
        assert arrange([*axial(range(8)), *slices[7:]]).verdict is Verdict.VOLUME

    def test_one_direction_with_too_few_positions_is_no_localizer(self) -> None:
        images = [*axial(range(5)), *(frame(None, 10 + n, f"lost{n}") for n in range(5))]
        arrangement = arrange(images)
        assert arrangement.verdict is Verdict.NO_GEOMETRY
        assert arrangement.explanation.startswith("Too few of the images have a position")
        assert codes(arrangement.warnings) == ["missing_position"]

    def test_missing_instance_numbers_come_last(self) -> None:
        images = [frame(None, None, "b"), frame(None, 7, "a"), frame(None, 2, "c")]
        assert [f.sop_instance_uid for f in arrange(images).frames] == ["c", "a", "b"]

    def test_images_without_positions(self) -> None:
        arrangement = arrange([frame(None, n, f"i{n}") for n in (3, 1, 2)])
        assert (arrangement.verdict, middle(arrangement)) == (Verdict.NO_GEOMETRY, "i2")
        assert arrangement.middle is not None
        assert arrangement.middle.position_mm is None

    def test_a_cine_loop_is_ordered_by_frame_number(self) -> None:
        frames = [frame(None, 1, "us", frame_number=n, is_multiframe=True) for n in range(30, 0, -1)]
        arrangement = arrange(frames)
        assert arrangement.verdict is Verdict.CINE
        assert arrangement.middle is not None
        assert arrangement.middle.frame_number == 16

    def test_parts_of_a_concatenation_follow_their_offsets(self) -> None:
        # PS3.3 C.7.6.16.2.2.4; the UIDs say the opposite.
        parts = [
            frame(None, 1, f"part{9 - part}", frame_number=n, concatenation=("1.2.3", 2 * part))
            for part in (2, 0, 1)
            for n in (2, 1)
        ]
        order = [(f.sop_instance_uid, f.frame_number) for f in arrange(parts).frames]
        assert order == [(f"part{part}", n) for part in (9, 8, 7) for n in (1, 2)]

    def test_frames_without_positions_follow_their_dimension_index(self) -> None:
        places = [(1, 3), (2, 1), (1, 1), (1, 2), (2, 2)]
        frames = [
            frame(None, 1, "one", frame_number=n + 1, is_multiframe=True, dimension_index=place)
            for n, place in enumerate(places)
        ]
        assert [f.frame_number for f in arrange(frames).frames] == [3, 4, 1, 2, 5]

    def test_one_image(self) -> None:
        assert arrange([frame(None, 1)]).verdict is Verdict.SINGLE_IMAGE
        assert arrange([frame(3, 1)]).verdict is Verdict.SINGLE_IMAGE

    def test_no_image(self) -> None:
        arrangement = arrange([])
        assert (arrangement.verdict, arrangement.middle) == (Verdict.EMPTY, None)


SERIES = {
    "volume": axial([0, 2, 4, 6, 8, 10]),
    "gap": axial([0, 2, 4, 8, 10]),
    "4d": TestRepeatedPositions().repeated("echo", ["1", "2"]),
    "localizer": TestWithoutCommonOrder().localizer(),
    "no geometry": [frame(None, n, f"i{n}") for n in range(5)],
    "noisy cosines": [
        frame(z, z, orientation=(1.0, 0.004 * (z % 3), 0.0, -0.004 * (z % 3), 1.0, 0.0)) for z in range(12)
    ],
}


class TestProperties:
    @pytest.mark.parametrize("name", SERIES)
    @given(seed=st.integers())
    def test_the_order_of_arrival_changes_nothing(self, name: str, seed: int) -> None:
        shuffled = list(SERIES[name])
        random.Random(seed).shuffle(shuffled)
        assert arrange(shuffled) == arrange(SERIES[name])

    @pytest.mark.parametrize("name", SERIES)
    def test_survives_json(self, name: str) -> None:
        arrangement = arrange(SERIES[name])
        assert Arrangement.from_dict(json.loads(json.dumps(arrangement.as_dict()))) == arrangement

    @given(st.sets(st.integers(-500, 500), min_size=1, max_size=40), st.randoms())
    def test_every_thinned_volume_is_ordered_by_position(
        self, places: set[int], shuffle: random.Random
    ) -> None:
        numbers = list(range(len(places)))
        shuffle.shuffle(numbers)
        arrangement = arrange([frame(z, n) for z, n in zip(places, numbers, strict=True)])
        assert [f.sop_instance_uid for f in arrangement.frames] == [f"z{z}" for z in sorted(places)]
        assert middle(arrangement) == f"z{sorted(places)[len(places) // 2]}"

    def test_every_frame_is_in_exactly_one_stack(self) -> None:
        for frames in SERIES.values():
            listed = [(f.sop_instance_uid, f.frame_number) for s in arrange(frames).stacks for f in s.frames]
            assert sorted(listed) == sorted((f.sop_instance_uid, f.frame_number) for f in frames)

    def test_ten_thousand_slices_take_no_time(self) -> None:
        slices = [frame(z / 10, z, f"{z}", splitting={"acquisition_time": str(z)}) for z in range(10_000)]
        started = time.process_time()
        assert arrange(slices).verdict is Verdict.VOLUME
        assert time.process_time() - started < 3
