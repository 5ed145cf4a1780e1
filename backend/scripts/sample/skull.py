"""The cranial vault and the skull base."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .shapes import Field, Points, blend, box, bump, capsule, carve, cell_walls, ellipsoid, paint, ramp, tube
from .space import Textures

DIPLOE_HU = 560.0
TABLE_HU = 1350.0


def petrous_pyramid(p: Points) -> Field:
    """The petrous bone: a wedge from its apex beside the clivus out to the mastoid."""
    ridge = capsule(p, (14, -11, -37), (56, -40, -40), 5.5, 12.0)
    return carve(ridge, p.z + 31.0, 3.0)


def clivus(p: Points) -> Field:
    """Sphenoid body, dorsum sellae and clivus down to the front edge of the foramen magnum."""
    course = [(0, 24, -39), (0, 4, -43), (0, -10, -46), (0, -22, -66)]
    return blend(tube(p, course, [12, 9.5, 7, 4.5]), capsule(p, (0, -3, -42), (0, -4, -27), 4.0, 2.2), 3.0)


def _fossa_floor(p: Points) -> Field:
    """Height of the floor under the frontal lobes: raised over the orbits, sunken in the midline."""
    return -27.0 + 9.5 * ramp(p.s, 2.0, 15.0) * bump(p, (0, 46, -25), (75, 38, 80))


def intracranial_space(p: Points, textures: Textures) -> Field:
    """Distance to the inner surface of the skull, negative inside."""
    vault = blend(
        ellipsoid(p, (0, -27, 8), (70, 80, 75.5), 0.22), ellipsoid(p, (0, 13, 5), (61, 60, 63), 0.32), 22.0
    )
    upper = carve(vault, _fossa_floor(p) - p.z, 8.0)
    middle_fossa = ellipsoid(p, (43, -5, -26), (25, 32, 22)) + 0.9 * textures.muscle(p)
    posterior_fossa = ellipsoid(p, (0, -56, -34), (55, 49, 32))
    canal = capsule(p, (0, -40, -58), (0, -45, -125), 16.0, 11.5)
    space = blend(blend(upper, middle_fossa, 5.0), blend(posterior_fossa, canal, 6.0), 5.0)
    base = np.minimum(petrous_pyramid(p), clivus(p))
    return carve(space, -base, 3.0) + 0.3 * textures.fold_depth(p)


def bone_thickness(p: Points, textures: Textures) -> Field:
    """Thickness (mm) of the vault: thin at the temporal squama, thick at forehead and occiput."""
    vault = 6.4 + 0.7 * textures.thickness(p)
    vault += 4.5 * bump(p, (0, -110, -20), (40, 30, 22))  # internal and external occipital protuberance
    vault += 6.0 * bump(p, (0, 78, -18), (42, 30, 28))  # around the frontal sinus
    vault -= 3.6 * bump(p, (68, -2, -14), (26, 46, 40))  # temporal squama
    anterior_base = ramp(p.y, -20.0, 10.0) * ramp(p.z, -6.0, -26.0)
    lateral_base = ramp(p.s, 40.0, 62.0)
    thin = 1.8 + 2.2 * lateral_base
    vault += (thin - vault) * anterior_base
    return np.maximum(vault - 3.0 * ramp(p.z, -44.0, -62.0), 1.8)


def paint_bone(hu: Field, p: Points, distance: Field, textures: Textures, cortex_mm: float = 1.6) -> None:
    """Paint a bone with a compact shell and a spongy inside."""
    spongy = DIPLOE_HU - 150.0 + 170.0 * textures.trabeculae(p)
    paint(hu, distance, TABLE_HU - 100.0, edge=1.0)
    paint(hu, distance + cortex_mm, spongy, edge=1.0)


def paint_vault(hu: Field, p: Points, dura: Field, textures: Textures) -> None:
    """Paint the shell around the brain: inner table, diploe, outer table."""
    thickness = bone_thickness(p, textures)
    shell = np.maximum(-dura, dura - thickness)
    rim = -66.5 - p.z - 0.06 * (p.y + 42.0)  # the shell ends at the foramen magnum; vertebrae follow
    shell = np.maximum(shell, rim)
    paint(hu, shell, TABLE_HU + 120.0 * textures.thickness(p), edge=1.0)
    depth = np.maximum(1.5 - dura, dura - thickness + 1.9)
    diploe = DIPLOE_HU + 150.0 * textures.trabeculae(p) + 90.0 * textures.tissue(p)
    paint(hu, np.maximum(depth, rim + 1.5), diploe, edge=1.6)


@lru_cache(maxsize=1)
def _mastoid_seeds() -> np.ndarray:
    random = np.random.Generator(np.random.PCG64(51))
    return (random.uniform(-1, 1, (150, 3)) * (13, 17, 21) + (58, -42, -52)).astype(np.float32)


def paint_temporal_bone(hu: Field, p: Points, textures: Textures) -> None:
    """Paint petrous pyramid, mastoid air cells, ear canal, middle and inner ear."""
    paint_bone(hu, p, petrous_pyramid(p), textures, cortex_mm=3.5)
    mastoid = ellipsoid(p, (58, -41, -53), (12, 16, 21)) + 1.0 * textures.lobules(p)
    paint_bone(hu, p, mastoid, textures, cortex_mm=1.8)
    paint(hu, capsule(p, (22, -16, -39), (42, -27, -40), 3.5, 6.0), 1750.0, edge=2.5)  # otic capsule
    near = mastoid < 1.0
    if near.any():
        _paint_mastoid_cells(hu, p.within(near), mastoid[near], near)
    paint(hu, capsule(p, (95, -22, -44), (60, -25, -43), 3.4, 3.2), -1000.0)  # external auditory canal
    paint(hu, capsule(p, (60, -25, -43), (52, -24, -41), 3.0, 2.6), -1000.0)
    paint(hu, ellipsoid(p, (47.5, -24, -40), (2.6, 4.5, 6.5)), -980.0)  # tympanic cavity
    paint(hu, capsule(p, (48, -24, -37), (48, -25, -40), 0.9, 0.9), 900.0)  # ossicles
    paint(hu, capsule(p, (12, -31, -38), (31, -27, -38), 3.4, 2.4), 12.0)  # internal auditory canal
    paint(hu, ellipsoid(p, (51, -13, -51), (10.5, 6.5, 7)), 45.0, edge=1.2)  # jaw joint; the condyle follows
    for centre, radii, value in (
        ((25, -3, -50), (3.6, 2.3, 9), 30.0),  # foramen ovale
        ((31, -9, -50), (1.5, 1.5, 9), 30.0),  # foramen spinosum
        ((26, -16, -52), (3.3, 3.3, 12), 46.0),  # carotid canal
        ((30, -28, -56), (5.0, 4.0, 12), 44.0),  # jugular foramen
    ):
        paint(hu, ellipsoid(p, centre, radii), value)
    paint(hu, ellipsoid(p, (36, -21, -39), (3.2, 2.2, 2.4)), 120.0, edge=1.5)  # cochlea
    paint(hu, ellipsoid(p, (38, -29, -38), (2.2, 2.6, 3.0)), 90.0, edge=1.5)  # vestibule


def _paint_mastoid_cells(hu: Field, p: Points, mastoid: Field, near: np.ndarray) -> None:
    inside = np.maximum(mastoid + 2.0, 0.55 - cell_walls(p, _mastoid_seeds()))
    values = hu[near]
    paint(values, inside, -900.0)
    hu[near] = values


def paint_cervical_spine(hu: Field, p: Points, textures: Textures) -> None:
    """Paint occipital condyles, atlas and axis."""
    paint_bone(hu, p, ellipsoid(p, (19, -29, -69), (7, 11, 6)), textures, 1.4)
    paint_bone(hu, p, ellipsoid(p, (23, -32, -81), (10, 9, 6.5)), textures, 1.4)
    paint_bone(hu, p, tube(p, [(0, -15, -81), (12, -18, -81), (20, -26, -81)], [4, 3.5, 4]), textures, 1.4)
    arch = [(30, -38, -82), (24, -54, -82), (10, -63, -82), (0, -65, -82)]
    paint_bone(hu, p, tube(p, arch, [4, 3.4, 3.4, 4]), textures, 1.4)
    transverse = capsule(p, (28, -32, -82), (41, -34, -83), 4.5, 4.0)
    paint_bone(
        hu, p, np.maximum(transverse, -capsule(p, (34, -33, -70), (34, -33, -95), 3, 3)), textures, 1.2
    )
    paint_bone(hu, p, capsule(p, (0, -24, -72), (0, -24, -96), 5.0, 6.5), textures, 1.5)  # dens
    paint_bone(hu, p, box(p, (0, -24, -104), (22, 9, 9), 5), textures, 1.5)
    paint_bone(hu, p, tube(p, [(20, -36, -102), (16, -58, -104), (0, -70, -106)], [5, 3.5, 5]), textures, 1.4)
