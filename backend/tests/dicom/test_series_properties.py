"""What holds for every series, whatever its numbers: found by hypothesis, which shrinks what breaks it."""

import itertools
import json
import math
import random
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imageserver.dicom.arrangement import Arrangement, Verdict
from imageserver.dicom.frames import FrameDescription
from imageserver.dicom.geometry import Orientation, Position
from imageserver.dicom.orientation import orientation_labels
from imageserver.dicom.stacks import arrange
from tests.builders import AXIAL, CORONAL, SAGITTAL
from tests.dicom.described import codes, frame, named

lengths = st.floats(-500, 500, allow_nan=False)
angles = st.floats(-math.pi, math.pi, allow_nan=False)


def rotation(a: float, b: float, c: float) -> np.ndarray:
    """Turn about z, y and x."""
    about_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(c), -np.sin(c)], [0, np.sin(c), np.cos(c)]])
    return np.asarray(about_z @ about_y @ about_x)


rotations = st.builds(rotation, angles, angles, angles)


def turned(
    frames: list[FrameDescription], turn: np.ndarray, shift: tuple[float, ...]
) -> list[FrameDescription]:
    """Move the patient: positions and axes together."""
    return [
        replace(one, position=_place(turn @ np.array(one.position) + shift), orientation=_axes(turn, one))
        for one in frames
    ]


def _place(values: np.ndarray) -> Position:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _axes(turn: np.ndarray, one: FrameDescription) -> Orientation | None:
    if one.orientation is None:
        return None
    x, y, z, u, v, w = (*(turn @ one.orientation[:3]).tolist(), *(turn @ one.orientation[3:]).tolist())
    return x, y, z, u, v, w


def order(arrangement: Arrangement) -> list[str]:
    return [one.sop_instance_uid for one in arrangement.frames]


def stack_of(count: int, spacing: float, **values: object) -> list[FrameDescription]:
    return [frame(k * spacing, k, f"s{k}", **values) for k in range(count)]


def mixed(number: int, values: tuple[object, ...]) -> FrameDescription:
    place, orientation, instance, rows, spacing, thickness, name, value = values
    return frame(
        0,
        number if instance else None,
        f"s{number}",
        position=place,
        orientation=orientation,
        rows=rows,
        row_spacing_mm=spacing,
        slice_thickness_mm=thickness,
        splitting={name: value} if name else {},
    )


# Frames of all sorts together: repeated places, sizes, axes, lacking positions and numbers, times and segments.
mixtures = st.lists(
    st.tuples(
        st.sampled_from([None, *((0.0, 0.0, float(z)) for z in range(6)), (9.0, 1.0, 2.0)]),
        st.sampled_from([AXIAL, AXIAL, AXIAL, CORONAL, SAGITTAL, None]),
        st.booleans(),
        st.sampled_from([4, 4, 4, 8]),
        st.sampled_from([1.0, 1.0, None]),
        st.sampled_from([None, 1.0, 3.0]),
        st.sampled_from([None, "echo", "temporal_position", "segment", "frame_of_reference"]),
        st.sampled_from(["1", "2", "10", "x"]),
    ),
    min_size=1,
    max_size=30,
).map(lambda rows: [mixed(number, row) for number, row in enumerate(rows)])
few = settings(max_examples=50)


class TestAnySeries:
    @few
    @given(mixtures)
    def test_every_frame_is_in_exactly_one_stack(self, frames: list[FrameDescription]) -> None:
        listed = Counter(one.sop_instance_uid for stack in arrange(frames).stacks for one in stack.frames)
        assert listed == Counter(one.sop_instance_uid for one in frames)

    @few
    @given(mixtures, st.randoms())
    def test_the_order_of_arrival_changes_nothing(
        self, frames: list[FrameDescription], shuffle: random.Random
    ) -> None:
        others = list(frames)
        shuffle.shuffle(others)
        assert arrange(others) == arrange(frames)

    @few
    @given(mixtures)
    def test_the_middle_is_the_upper_one_of_the_default_order(self, frames: list[FrameDescription]) -> None:
        arrangement = arrange(frames)
        assert arrangement.middle is not None
        assert arrangement.middle.index == len(arrangement.frames) // 2
        assert arrangement.frames[arrangement.middle.index].sop_instance_uid == (
            arrangement.middle.sop_instance_uid
        )

    @few
    @given(mixtures)
    def test_survives_json_without_numbers_that_json_does_not_have(
        self, frames: list[FrameDescription]
    ) -> None:
        arrangement = arrange(frames)
        text = json.dumps(arrangement.as_dict(), allow_nan=False)
        assert Arrangement.from_dict(json.loads(text)) == arrangement

    @few
    @given(mixtures)
    def test_findings_are_sentences_and_name_frames_of_the_series(
        self, frames: list[FrameDescription]
    ) -> None:
        arrangement = arrange(frames)
        uids = {one.sop_instance_uid for one in frames}
        for finding in (*arrangement.warnings, *arrangement.excluded):
            assert re.fullmatch(r"[A-Z0-9].*\.", finding.message)
            assert set(finding.sop_instance_uids) <= uids
            assert len(set(finding.sop_instance_uids)) == len(finding.sop_instance_uids)
        assert len(set(codes(arrangement.warnings))) == len(arrangement.warnings)

    @few
    @given(mixtures)
    def test_positions_of_a_stack_ascend(self, frames: list[FrameDescription]) -> None:
        for stack in arrange(frames).stacks:
            places = [place for place in stack.positions_mm if place is not None]
            assert places == sorted(places)


class TestVolume:
    @given(st.integers(2, 40), st.floats(0.1, 20), st.randoms())
    def test_other_names_and_numbers_give_the_same_order(
        self, count: int, spacing: float, shuffle: random.Random
    ) -> None:
        slices = stack_of(count, spacing)
        names = [f"1.2.{n}" for n in range(count)]
        numbers: list[int | None] = [*range(count)]
        shuffle.shuffle(names)
        shuffle.shuffle(numbers)
        renamed = [
            replace(one, sop_instance_uid=name, instance_number=number)
            for one, name, number in zip(slices, names, numbers, strict=True)
        ]
        arrangement = arrange(renamed)
        assert order(arrangement) == names
        assert (arrangement.verdict, arrangement.warnings) == (Verdict.VOLUME, ())

    @given(st.integers(3, 30), st.sets(st.integers(0, 29), min_size=1, max_size=12))
    def test_duplicated_slices_stay_and_are_named(self, count: int, chosen: set[int]) -> None:
        twice = sorted(number for number in chosen if number < count)
        assume(0 < len(twice) < count)
        copies = [frame(2.0 * k, 100 + k, f"t{k}") for k in twice]
        arrangement = arrange([*stack_of(count, 2.0), *copies])
        assert [uid[1:] for uid in order(arrangement)] == sorted(
            [str(k) for k in (*range(count), *twice)], key=int
        )
        duplicates = named(arrangement.warnings, "duplicate_positions")
        assert duplicates.numbers == {"images": 2 * len(twice), "positions": len(twice)}

    @given(st.integers(2, 30))
    def test_a_volume_that_is_there_twice_is_two_stacks(self, count: int) -> None:
        copies = [frame(2.0 * k, 100 + k, f"t{k}") for k in range(count)]
        arrangement = arrange([*stack_of(count, 2.0), *copies])
        assert order(arrangement) == [f"s{k}" for k in range(count)]
        assert [stack.count for stack in arrangement.stacks] == [count, count]

    @given(st.lists(st.integers(1, 5), max_size=10), st.randoms())
    def test_a_thinned_volume_keeps_its_order_and_its_gaps_add_up(
        self, steps: list[int], shuffle: random.Random
    ) -> None:
        steps = [*steps, *[1] * (len(steps) + 1)]  # most neighbours are left
        shuffle.shuffle(steps)
        places = [0, *itertools.accumulate(steps)]
        arrangement = arrange([frame(3.0 * k, -k, f"s{k}") for k in places])
        assert order(arrangement) == [f"s{k}" for k in places]
        missing = places[-1] - places[0] + 1 - len(places)
        if not missing:
            assert (arrangement.verdict, arrangement.warnings) == (Verdict.VOLUME, ())
            return
        gap = named(arrangement.warnings, "gap")
        assert arrangement.verdict is Verdict.VOLUME_VARIABLE_SPACING
        assert gap.numbers["missing_slices"] == missing
        assert gap.numbers["gaps"] == sum(step > 1 for step in steps)
        first = next(number for number, step in enumerate(steps) if step > 1)
        assert (gap.numbers["after_slice"], gap.numbers["gap_mm"]) == (first + 1, 3.0 * steps[first])


class TestMovedPatient:
    @given(st.integers(2, 20), st.floats(0.5, 10), rotations, st.tuples(lengths, lengths, lengths))
    def test_moves_the_volume_and_not_the_order(
        self, count: int, spacing: float, turn: np.ndarray, shift: tuple[float, float, float]
    ) -> None:
        before = arrange(stack_of(count, spacing))
        after = arrange(turned(stack_of(count, spacing), turn, shift))
        assert order(after) == order(before)
        assert (after.verdict, codes(after.warnings)) == (before.verdict, [])
        assert after.stacks[0].slice_spacing_mm == pytest.approx(spacing, abs=1e-3)

    @given(st.integers(3, 20), rotations, st.tuples(lengths, lengths, lengths))
    def test_without_axes_the_order_keeps_but_for_its_direction(
        self, count: int, turn: np.ndarray, shift: tuple[float, float, float]
    ) -> None:
        slices = stack_of(count, 5.0, orientation=None)
        before, after = order(arrange(slices)), order(arrange(turned(slices, turn, shift)))
        assert after in (before, before[::-1])

    @given(st.integers(2, 20), rotations)
    def test_columns_that_run_the_other_way_reverse_it(self, count: int, turn: np.ndarray) -> None:
        slices = turned(stack_of(count, 2.0), turn, (0, 0, 0))
        flipped = [
            replace(one, orientation=(*one.orientation[:3], *(-v for v in one.orientation[3:])))  # type: ignore[arg-type]
            for one in slices
            if one.orientation
        ]
        assert order(arrange(flipped)) == order(arrange(slices))[::-1]


class TestAffine:
    @given(
        st.integers(1, 15),
        st.floats(0.2, 10),
        st.floats(0.1, 5),
        st.floats(0.1, 5),
        rotations,
        st.tuples(lengths, lengths, lengths),
        st.floats(-1, 1),
    )
    def test_takes_every_index_to_its_place_in_the_patient(
        self,
        count: int,
        spacing: float,
        row_spacing: float,
        column_spacing: float,
        turn: np.ndarray,
        shift: tuple[float, float, float],
        shear: float,
    ) -> None:
        # PS3.3 C.7.6.2.1.1: P = S + X·di·i + Y·dj·j, with S of each slice.
        slices = turned(
            [
                frame(
                    0,
                    k,
                    f"s{k}",
                    position=(0.0, shear * k, spacing * k),
                    row_spacing_mm=row_spacing,
                    column_spacing_mm=column_spacing,
                )
                for k in range(count)
            ],
            turn,
            shift,
        )
        stack = arrange(slices).stacks[0]
        matrix = np.array(stack.affine)
        by_name = {one.sop_instance_uid: one for one in slices}
        for k, address in enumerate(stack.frames):
            one = by_name[address.sop_instance_uid]
            assert one.orientation is not None
            x, y = np.array(one.orientation[:3]), np.array(one.orientation[3:])
            expected = np.array(one.position) + x * column_spacing * 7 + y * row_spacing * 3
            np.testing.assert_allclose((matrix @ [7, 3, k, 1])[:3], expected, atol=1e-6)


class TestOrientationLetters:
    OPPOSITE = str.maketrans("LRAPHF", "RLPAFH")

    @given(rotations)
    def test_survive_turning_the_picture_by_90_degrees(self, turn: np.ndarray) -> None:
        row, column = turn @ [1.0, 0, 0], turn @ [0, 1.0, 0]
        labels = orientation_labels((*row.tolist(), *column.tolist()))
        quarter = orientation_labels((*column.tolist(), *(-row).tolist()))  # counter-clockwise
        assert labels is not None
        assert quarter is not None
        assert (quarter.top, quarter.left, quarter.bottom, quarter.right) == (
            labels.right,
            labels.top,
            labels.left,
            labels.bottom,
        )

    @given(rotations)
    def test_opposite_edges_have_opposite_letters(self, turn: np.ndarray) -> None:
        labels = orientation_labels((*(turn @ [1.0, 0, 0]).tolist(), *(turn @ [0, 1.0, 0]).tolist()))
        assert labels is not None
        assert labels.left.translate(self.OPPOSITE) == labels.right
        assert labels.top.translate(self.OPPOSITE) == labels.bottom

    @given(rotations, st.sampled_from(["z", "y", "x"]))
    def test_turning_the_patient_by_half_a_turn_swaps_two_pairs(self, turn: np.ndarray, axis: str) -> None:
        half = {"z": np.diag([-1, -1, 1]), "y": np.diag([-1, 1, -1]), "x": np.diag([1, -1, -1])}[axis]
        swapped = {"z": "LRAP", "y": "LRHF", "x": "APHF"}[axis]
        table = str.maketrans(swapped, "".join(swapped[i] for i in (1, 0, 3, 2)))
        row, column = turn @ [1.0, 0, 0], turn @ [0, 1.0, 0]
        before = orientation_labels((*row.tolist(), *column.tolist()))
        after = orientation_labels((*(half @ row).tolist(), *(half @ column).tolist()))
        assert before is not None
        assert after is not None
        assert [label.translate(table) for label in before] == list(after)
