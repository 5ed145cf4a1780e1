"""From the scanner's millimetres (LPS) to the head's own axes, with the irregularity of a real person."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .shapes import Field, Points, rotation
from .smooth_noise import SmoothNoise

HEAD_SCALE = 0.93  # the anatomy is drawn in the generous millimetres of the MNI atlas
POSITIONING = rotation(yaw_deg=2.0, pitch_deg=2.0, roll_deg=0.8)  # nobody lies perfectly straight


@dataclass(frozen=True)
class Textures:
    """The noise fields that make the anatomy irregular, named by what they shape."""

    warp: tuple[SmoothNoise, ...] = field(
        default_factory=lambda: tuple(SmoothNoise(seed, 110.0) for seed in (11, 12, 13))
    )
    wobble: tuple[SmoothNoise, ...] = field(
        default_factory=lambda: tuple(SmoothNoise(seed, 34.0) for seed in (14, 15, 16))
    )
    folds: SmoothNoise = field(default_factory=lambda: SmoothNoise(21, 23.0))
    fold_depth: SmoothNoise = field(default_factory=lambda: SmoothNoise(22, 45.0))
    thickness: SmoothNoise = field(default_factory=lambda: SmoothNoise(31, 60.0))
    trabeculae: SmoothNoise = field(default_factory=lambda: SmoothNoise(32, 5.0))
    muscle: SmoothNoise = field(default_factory=lambda: SmoothNoise(41, 24.0))
    lobules: SmoothNoise = field(default_factory=lambda: SmoothNoise(42, 9.0))
    tissue: SmoothNoise = field(default_factory=lambda: SmoothNoise(43, 40.0))


def head_points(x_mm: Field, y_mm: Field, z_mm: Field, textures: Textures) -> Points:
    """Head coordinates of the scanner positions `x_mm`, `y_mm`, `z_mm` (LPS, equal shapes)."""
    lps = (x_mm, y_mm, z_mm)
    x, posterior, z = (
        sum(np.float32(weight / HEAD_SCALE) * axis for weight, axis in zip(row, lps, strict=True))
        for row in POSITIONING
    )
    straight = Points(x, np.abs(x), -posterior, z)
    moved = [
        axis + 1.0 * warp(straight) + 0.35 * wobble(straight)
        for axis, warp, wobble in zip((x, -posterior, z), textures.warp, textures.wobble, strict=True)
    ]
    return Points(moved[0], np.abs(moved[0]), moved[1], moved[2])
