"""Frames of one geometry, also where a hostile series has a geometry of its own for each."""

import random
import time
from dataclasses import replace

from imageserver.dicom.frame_description import FrameDescription
from imageserver.dicom.grouping import group_by_geometry
from imageserver.dicom.stacks import arrange

FRAME = FrameDescription("1.2", 1, 1, 8, 8, 0.5, 0.5, position=(0, 0, 0), orientation=(1, 0, 0, 0, 1, 0))


def with_spacings(spacings: list[float]) -> list[FrameDescription]:
    return [replace(FRAME, frame_number=n + 1, row_spacing_mm=s) for n, s in enumerate(spacings)]


def sizes(spacings: list[float]) -> list[int]:
    return [len(group) for group in group_by_geometry(with_spacings(spacings))]


def test_near_spacings_chain_to_the_first_of_their_group() -> None:
    assert sizes([0.5, 0.504, 0.508, 0.7]) == [
        2,
        1,
        1,
    ]  # 1 % of 0.5 is 0.005; 0.508 is near 0.504, not the first
    assert sizes([0.508, 0.7, 0.504, 0.5]) == [2, 1, 1]


def test_thousands_of_geometries_take_no_time() -> None:
    chance = random.Random(5)
    spacings = [chance.uniform(0.1, 1e9) for _ in range(6000)] + [0.5] * 2000
    start = time.process_time()
    assert sizes(spacings)[0] == 2000
    assert time.process_time() - start < 3  # 60 s, when each was compared with each


def test_thousands_of_stacks_take_little_time() -> None:
    frames = with_spacings([1.02**n for n in range(1, 700)] * 5)
    frames = [replace(frame, rows=8 + n // 699) for n, frame in enumerate(frames)]
    start = time.process_time()
    assert len(arrange(frames).stacks) == 5 * 699
    assert time.process_time() - start < 8  # 20 s, when each looked at all others
