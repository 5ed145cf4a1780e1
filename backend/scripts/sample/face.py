"""The facial skeleton, the air spaces inside it, and the teeth."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .shapes import Field, Points, blend, box, capsule, carve, cell_walls, ellipsoid, paint, plate, ramp, tube
from .skull import bone_thickness, paint_bone
from .space import Textures

AIR_HU = -1000.0
MUCOSA_HU = 38.0
ENAMEL_HU = 2600.0
# Distance from the midline, anterior position and radius of each tooth, from central incisor to molars.
TEETH = (
    (4.3, 92, 3.9), (12.0, 89.5, 3.4), (18.5, 84.5, 3.8), (22.5, 77.5, 3.6),
    (25.5, 70.5, 3.7), (28.0, 62.0, 4.9), (30.5, 51.5, 4.9), (32.0, 41.5, 4.5),
)  # fmt: skip


def maxillary_sinus(p: Points, textures: Textures) -> Field:
    """The pyramid-shaped air space of the cheek bone's inside."""
    upper = ellipsoid(p, (29.5, 48, -57), (14.5, 18, 13))
    lower = ellipsoid(p, (28, 50, -68), (10, 14, 10))
    return blend(upper, lower, 5.0) + 0.55 * textures.lobules(p)


def paint_facial_skeleton(hu: Field, p: Points, textures: Textures) -> None:
    """Paint the bones of the face, without the air inside them."""
    rods = [
        ([(9, 79, -24), (30, 75, -18), (47, 62, -20), (53, 50, -30)], [5, 5.5, 5, 3.5]),  # upper orbital rim
        ([(53, 50, -30), (54, 47, -38), (51, 49, -52)], [3.5, 3.6, 5]),  # lateral rim
        ([(13, 76, -52), (26, 74, -56), (40, 66, -57), (51, 50, -54)], [2.8, 3, 3.6, 5]),  # lower rim
        ([(51, 48, -56), (46, 56, -64), (38, 58, -72)], [5, 5, 3]),  # zygoma
        ([(52, 47, -55), (63, 30, -53), (69, 10, -50), (67, -10, -47)], [4, 2.6, 2.4, 4]),  # zygomatic arch
    ]
    for course, radii in rods:
        paint_bone(hu, p, tube(p, course, radii), textures, 1.5)
    paint_bone(hu, p, ellipsoid(p, (0, 78, -26), (18, 7.5, 10)), textures, 1.6)  # glabella, root of the nose
    _paint_plates(hu, p)
    paint_bone(hu, p, _mandible(p), textures, 1.8)
    wall = maxillary_sinus(p, textures) - 1.7
    paint(hu, wall, 1050.0, edge=1.0)
    paint(hu, wall + 1.5, MUCOSA_HU, edge=1.0)


def _paint_plates(hu: Field, p: Points) -> None:
    """Thin upright bones: ends (s, y) in the axial plane, half thickness, lower and upper end."""
    ridge = 87.0 + 0.60 * (-34.0 - p.z)  # the bridge of the nose advances downwards
    for inner, outer, half, bottom, top in (
        ((0.5, ridge), (12.0, 75.0), 0.9, -54, -34),  # nasal bone, frontal process of the maxilla
        ((13.0, 84.0), (28.0, 73.0), 1.0, -76, -52),  # front of the maxilla
        ((16.0, 24.0), (14.5, 9.0), 0.7, -80, -52),  # medial pterygoid plate
        ((16.5, 24.0), (25.0, 8.0), 0.7, -78, -52),  # lateral pterygoid plate
    ):
        upright = np.abs(p.z - 0.5 * (bottom + top)) - 0.5 * (top - bottom)
        paint(hu, np.maximum(plate(p, inner, outer) - half, upright), 900.0)


def _mandible(p: Points) -> Field:
    condyle = ellipsoid(p, (51, -14, -51), (8.5, 4.5, 5))
    neck = capsule(p, (51, -13, -54), (49, -6, -68), 3.2, 4.0)
    ramus = ellipsoid(p, (49, -2, -88), (4.4, 15, 27))
    coronoid = capsule(p, (48, 8, -74), (49, 15, -58), 3.4, 1.8)
    body = tube(p, [(48, 4, -108), (34, 48, -112), (18, 80, -114), (0, 90, -114)], [7, 8, 8, 8])
    return blend(blend(condyle, neck, 3.0), blend(blend(ramus, coronoid, 4.0), body, 4.0), 4.0)


@lru_cache(maxsize=1)
def _ethmoid_seeds() -> np.ndarray:
    random = np.random.Generator(np.random.PCG64(52))
    grid = [(x, y, z) for x in (-7, 0, 7) for y in range(24, 72, 8) for z in (-46, -36, -28)]
    return (np.array(grid) + random.uniform(-2.6, 2.6, (len(grid), 3))).astype(np.float32)


def paint_sinuses(hu: Field, p: Points, dura: Field, textures: Textures) -> None:
    """Paint the air of maxillary, sphenoid, frontal and ethmoid sinuses."""
    paint(hu, maxillary_sinus(p, textures), AIR_HU, edge=1.0)
    septum = np.abs(p.x - 2.5 - 0.12 * (p.y - 20.0)) - 0.5  # the sphenoid septum is rarely central
    sphenoid = blend(ellipsoid(p, (7, 20, -40), (9, 13, 10.5)), ellipsoid(p, (5, 12, -42), (9, 10, 7)), 4.0)
    paint(hu, np.maximum(sphenoid + 0.8 * textures.lobules(p), -septum), AIR_HU, edge=1.0)
    lobes = np.minimum(
        ellipsoid(p, (8, 79, -22), (8, 6.0, 14)), ellipsoid(p, (19, 76, -18), (8, 5, 9))
    ) + 0.6 * textures.lobules(p)
    lobes = np.maximum(lobes, np.maximum(2.0 - dura, dura - bone_thickness(p, textures) + 2.2))
    wall = np.abs(p.x + 1.5 + 1.2 * textures.muscle(p)) - 0.6
    paint(hu, np.maximum(lobes, -wall), AIR_HU, edge=1.0)
    _paint_ethmoid(hu, p)


def _paint_ethmoid(hu: Field, p: Points) -> None:
    labyrinth = box(p, (0, 46, -37), (12.5, 23, 12.5), 5.0)
    near = labyrinth < 2.0
    if not near.any():
        return
    values, walls = hu[near], cell_walls(p.within(near), _ethmoid_seeds())
    paint(values, labyrinth[near], 170.0)
    paint(values, np.maximum(labyrinth[near] + 0.5, 0.5 - walls), -960.0)
    hu[near] = values


def paint_nasal_cavity(hu: Field, p: Points, surface: Field, textures: Textures) -> None:
    """Paint the nose's inside: air, septum, turbinates, palate; then the throat behind it."""
    half_width = np.clip(4.0 + (-48.0 - p.z) * 0.55, 3.5, 14.0) - 5.0 * ramp(p.y, 62.0, 90.0)
    half_width += 0.7 * textures.lobules(p)
    span = carve(np.abs(p.z + 58.0) - 15.0, np.abs(p.y - 49.0) - 39.0, 8.0)
    cavity = carve(p.s - half_width, span, 4.0)
    paint(hu, cavity - 1.6, MUCOSA_HU)
    paint(hu, cavity, AIR_HU, edge=1.2)
    _paint_turbinates(hu, p, textures)
    nostril = tube(p, [(7, 108, -73), (7, 100, -69), (6, 88, -64)], [4.0, 4.5, 4.5])
    paint(hu, nostril, AIR_HU, edge=1.2)
    deviation = 1.3 * textures.muscle(p) * ramp(p.y, 10.0, 30.0)
    septum = np.maximum(np.abs(p.x - deviation), np.abs(p.y - 60.0) - 48.0)
    septum = np.maximum(np.maximum(septum, np.abs(p.z + 56.0) - 20.0), surface + 4.0)
    paint(hu, septum - 1.7, MUCOSA_HU)
    paint(hu, np.maximum(septum - 0.5, p.y - 84.0), 420.0)
    vaulted = np.abs(p.z + 74.5 + 0.006 * p.s * p.s) - 1.6
    palate = np.maximum(vaulted, ellipsoid(p, (0, 48, -76), (27, 40, 60)))
    paint(hu, palate, 950.0, edge=1.2)
    _paint_throat(hu, p, textures)


def _paint_turbinates(hu: Field, p: Points, textures: Textures) -> None:
    swelling = 0.7 * textures.lobules(p)
    for course, radius in (
        ([(8.8, 80, -66), (9.6, 52, -66), (9, 26, -65)], 4.9),
        ([(5.6, 72, -55), (6.6, 48, -56), (6.4, 26, -55)], 3.6),
    ):
        core = tube(p, course, [radius] * len(course))
        paint(hu, core - swelling, MUCOSA_HU)
        paint(hu, core + radius - 0.8, 320.0)


def _paint_throat(hu: Field, p: Points, textures: Textures) -> None:
    nasopharynx = box(p, (0, 6, -67), (13, 9, 13), 5.0) + 0.8 * textures.lobules(p)
    paint(hu, nasopharynx - 3.0, 48.0)
    paint(hu, nasopharynx, AIR_HU, edge=1.2)
    paint(hu, capsule(p, (13, 8, -64), (18, 4, -62), 2.2, 1.4), AIR_HU, edge=1.2)  # opening of the tube
    oropharynx = box(p, (0, 4, -98), (11, 5, 18), 4.0) + 0.8 * textures.lobules(p)
    paint(hu, oropharynx, AIR_HU, edge=1.2)


def paint_mouth(hu: Field, p: Points, textures: Textures) -> None:
    """Paint alveolar processes and teeth of both jaws."""
    paint(hu, ellipsoid(p, (0, 46, -82), (25, 42, 8), 0.4), 44.0, edge=1.2)  # mucosa under the palate
    paint(hu, ellipsoid(p, (0, 44, -98), (24, 38, 18)), 55.0 + 6.0 * textures.lobules(p), edge=1.2)  # tongue
    arch = [(x, y - 2.0, -79.0) for x, y, _ in TEETH]
    paint_bone(hu, p, tube(p, [(0, 90, -79), *arch], [6.0] * 9), textures, 1.3)
    lower = [(x, y - 4.0, -107.0) for x, y, _ in TEETH]
    paint_bone(hu, p, tube(p, [(0, 88, -107), *lower], [6.0] * 9), textures, 1.3)
    for x, y, radius in TEETH:
        _paint_tooth(hu, p, (x, y, -86.0), (x, y - 4.0, -73.0), radius)
        _paint_tooth(hu, p, (x - 0.8, y - 2.5, -97.5), (x - 0.8, y - 6.0, -110.0), radius * 0.92)


def _paint_tooth(
    hu: Field, p: Points, crown: tuple[float, float, float], root: tuple[float, float, float], radius: float
) -> None:
    neck = tuple(c + 0.3 * (r - c) for c, r in zip(crown, root, strict=True))
    paint(hu, capsule(p, neck, root, radius * 0.75, radius * 0.4), 1500.0)
    paint(hu, capsule(p, crown, neck, radius, radius * 0.85), ENAMEL_HU)
    paint(hu, capsule(p, crown, neck, radius - 1.5, radius * 0.85 - 1.3), 1600.0)
    paint(hu, capsule(p, neck, root, 0.7, 0.4), 300.0)  # pulp
