"""Signed distance functions (mm, negative inside) and how they are painted into Hounsfield units.

Only elementary arithmetic and square roots are used on arrays. IEEE 754 rounds those exactly, so the volume
comes out the same on every processor, which sine or exponential functions would not guarantee.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Points:
    """Where to evaluate the anatomy, in millimetres of the head's own axes.

    `x` runs to the patient's left, `y` to anterior, `z` to superior; the origin lies between the commissures.
    `s` is the distance from the midline: a structure described with `s` exists on both sides.
    """

    x: Field
    s: Field
    y: Field
    z: Field

    def within(self, mask: npt.NDArray[np.bool_]) -> Points:
        """The points where `mask` holds, as flat arrays."""
        return Points(self.x[mask], self.s[mask], self.y[mask], self.z[mask])


def ellipsoid(p: Points, centre: Triple, radii: Triple, squareness: float = 0.0) -> Field:
    """Distance to an axis-aligned ellipsoid (first-order near its surface); `squareness` 1 is box-like."""
    a, b, c = radii
    dx, dy, dz = (p.s - centre[0]) / a, (p.y - centre[1]) / b, (p.z - centre[2]) / c
    k0 = np.sqrt(dx * dx + dy * dy + dz * dz)
    k1 = np.sqrt((dx / a) ** 2 + (dy / b) ** 2 + (dz / c) ** 2)
    level = k0
    if squareness:
        fourth = np.sqrt(np.sqrt((dx * dx) ** 2 + (dy * dy) ** 2 + (dz * dz) ** 2))
        level = k0 + squareness * (fourth - k0)
    return k0 * (level - 1.0) / np.maximum(k1, 1e-4)


def capsule(p: Points, start: Triple, end: Triple, start_radius: float, end_radius: float) -> Field:
    """Distance to a round rod whose radius changes linearly from `start` to `end`."""
    bx, by, bz = (e - b for b, e in zip(start, end, strict=True))
    px, py, pz = p.s - start[0], p.y - start[1], p.z - start[2]
    along = np.clip((px * bx + py * by + pz * bz) / (bx * bx + by * by + bz * bz), 0.0, 1.0)
    distance = np.sqrt((px - bx * along) ** 2 + (py - by * along) ** 2 + (pz - bz * along) ** 2)
    return distance - (start_radius + (end_radius - start_radius) * along)


def tube(p: Points, course: Sequence[Triple], radii: Sequence[float]) -> Field:
    """Distance to a chain of capsules through the points of `course`."""
    pieces = [capsule(p, course[i], course[i + 1], radii[i], radii[i + 1]) for i in range(len(course) - 1)]
    distance = pieces[0]
    for piece in pieces[1:]:
        distance = np.minimum(distance, piece)
    return distance


def plate(p: Points, inner: tuple[float, Field | float], outer: tuple[float, Field | float]) -> Field:
    """Distance in the axial plane to the line between two points (s, y), which may vary with height."""
    bx, by = outer[0] - inner[0], outer[1] - inner[1]
    px, py = p.s - inner[0], p.y - inner[1]
    along = np.clip((px * bx + py * by) / (bx * bx + by * by), 0.0, 1.0)
    return np.sqrt((px - bx * along) ** 2 + (py - by * along) ** 2)


def box(p: Points, centre: Triple, half: Triple, rounding: float) -> Field:
    """Distance to a box with rounded edges."""
    qx = np.abs(p.s - centre[0]) - (half[0] - rounding)
    qy = np.abs(p.y - centre[1]) - (half[1] - rounding)
    qz = np.abs(p.z - centre[2]) - (half[2] - rounding)
    outside = np.sqrt(np.maximum(qx, 0) ** 2 + np.maximum(qy, 0) ** 2 + np.maximum(qz, 0) ** 2)
    return outside + np.minimum(np.maximum(np.maximum(qx, qy), qz), 0) - rounding


def blend(a: Field, b: Field, radius: float) -> Field:
    """Union of two shapes whose joint is filleted over `radius` (polynomial smooth minimum)."""
    h = np.clip(0.5 + 0.5 * (b - a) / radius, 0.0, 1.0)
    return b + (a - b) * h - radius * h * (1.0 - h)


def carve(a: Field, b: Field, radius: float) -> Field:
    """Intersection of `a` and `b`, the edge rounded over `radius`."""
    return -blend(-a, -b, radius)


def bump(p: Points, centre: Triple, radii: Triple) -> Field:
    """A smooth hill: 1 at `centre`, 0 outside the ellipsoid of `radii`."""
    dx, dy, dz = p.s - centre[0], p.y - centre[1], p.z - centre[2]
    r2 = (dx / radii[0]) ** 2 + (dy / radii[1]) ** 2 + (dz / radii[2]) ** 2
    return np.clip(1.0 - r2, 0.0, 1.0) ** 2


def ramp(value: Field, start: float, end: float) -> Field:
    """Smooth step: 0 at `start`, 1 at `end` (which may be the smaller of the two)."""
    t = np.clip((value - start) / (end - start), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def cell_walls(p: Points, seeds: npt.NDArray[np.float32]) -> Field:
    """Distance to the walls between the Voronoi cells of `seeds`, shape (n, 3): air cells in bone."""
    first = np.full(p.x.shape, 1e6, dtype=np.float32)
    second = first.copy()
    for x, y, z in seeds.tolist():
        distance = np.sqrt((p.x - x) ** 2 + (p.y - y) ** 2 + (p.z - z) ** 2)
        second = np.minimum(second, np.maximum(first, distance))
        first = np.minimum(first, distance)
    return (second - first) * 0.5


def paint(hu: Field, distance: Field, value: Field | float, edge: float = 0.8) -> None:
    """Put `value` (HU) where `distance` is negative; `edge` (mm) is the width over which tissues mix."""
    hu += (value - hu) * np.clip(0.5 - distance / edge, 0.0, 1.0)


def rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> list[list[float]]:
    """Rotation matrix of the head in the scanner; yaw about z, pitch about x, roll about y."""
    (cy, sy), (cp, sp), (cr, sr) = (
        (math.cos(math.radians(a)), math.sin(math.radians(a))) for a in (yaw_deg, pitch_deg, roll_deg)
    )
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_y = np.array([[cr, 0, sr], [0, 1, 0], [-sr, 0, cr]])
    return (about_z @ about_x @ about_y).tolist()
