"""Cerebellum and cisterns around the brainstem; then the sheets of dura and the large vessels."""

from __future__ import annotations

import numpy as np

from .brainstem import brainstem
from .cerebrum import CSF_HU, GREY_HU, WHITE_HU, behind_petrous_ridge, callosal_core, tentorium
from .shapes import Field, Points, blend, capsule, carve, ellipsoid, paint, ramp, tube
from .space import Textures

DURA_HU = 52.0
BLOOD_HU = 52.0


def cerebellum(p: Points, dura: Field, textures: Textures) -> Field:
    """Outer surface of the cerebellum: what the posterior fossa leaves, below the tentorium."""
    fill = np.maximum(dura + 2.6 + 0.5 * textures.tissue(p), tentorium(p) + 2.2)
    fill = np.maximum(fill, behind_petrous_ridge(p))
    tonsil = ellipsoid(p, (8, -54, -60), (6.5, 9, 11))
    body = blend(ellipsoid(p, (27, -62, -36), (31, 39, 28)), ellipsoid(p, (0, -60, -26), (18, 36, 28)), 8.0)
    body = blend(body, tonsil, 4.0)
    vallecula = capsule(p, (0, -78, -60), (0, -96, -40), 3.5, 2.5)
    return np.maximum(np.maximum(fill, body), -vallecula)


def fourth_ventricle(p: Points) -> Field:
    """A tent behind the pons, narrow above and below."""
    roof = tube(p, [(0, -36, -20), (0, -43, -32), (0, -42, -46)], [1.6, 4.2, 2.0])
    wings = capsule(p, (0, -42, -34), (9, -41, -36), 2.8, 1.4)
    return blend(roof, wings, 3.0)


def _folia(p: Points, textures: Textures) -> Field:
    """Fine layers parallel to the cerebellar surface: a triangle wave between -1 and 1."""
    layer = p.z * 0.9 - 0.012 * (p.y + 60.0) ** 2 - 0.004 * p.s * p.s + 1.2 * textures.lobules(p)
    phase = layer / 5.2
    return 4.0 * np.abs(phase - np.floor(phase + 0.5)) - 1.0


def paint_posterior_fossa(hu: Field, p: Points, dura: Field, textures: Textures) -> None:
    """Paint cerebellum, brainstem, fourth ventricle and the cisterns around them."""
    surface = cerebellum(p, dura, textures)
    folia = _folia(p, textures)
    depth = ramp(surface, -16.0, -2.0)
    fissures = surface + 1.3 * np.maximum(folia, 0.0) * depth
    stem = brainstem(p)
    grey = GREY_HU + 0.5 - 6.0 * np.maximum(folia, 0.0) * depth
    paint(hu, np.maximum(fissures, 2.0 - stem), grey, edge=1.2)
    arbor = surface + 8.5 + 2.2 * folia + 1.5 * textures.lobules(p)
    paint(hu, np.maximum(arbor, 6.0 - p.s), WHITE_HU + 3.0, edge=2.5)
    peduncle = tube(p, [(12, -29, -35), (22, -40, -37), (26, -52, -37)], [7.5, 6.5, 6.0])
    paint(hu, peduncle, WHITE_HU + 3.0, edge=2.0)
    paint(hu, np.maximum(stem, dura + 1.5), WHITE_HU + 4.0, edge=1.2)
    paint(hu, fourth_ventricle(p), CSF_HU, edge=1.0)
    paint(hu, capsule(p, (0, -31, -8), (0, -34, -20), 0.9, 1.0), CSF_HU)  # aqueduct


def paint_cisterns(hu: Field, p: Points, textures: Textures) -> None:
    """Paint the fluid around midbrain and chiasm; what lies in it is painted afterwards."""
    ambient = np.maximum(brainstem(p) - 3.2 - 0.8 * textures.lobules(p), np.abs(p.z + 16.0) - 7.0)
    suprasellar = carve(ellipsoid(p, (0, 1, -21), (11, 11, 7)), p.z + 15.0, 2.0)
    interpeduncular = ellipsoid(p, (0, -8, -17), (6, 7, 9))
    quadrigeminal = ellipsoid(p, (0, -40, -6), (11, 5, 7))
    vermian = ellipsoid(p, (0, -46, 2), (7, 8, 5))
    for cistern in (ambient, suprasellar, interpeduncular, quadrigeminal, vermian):
        paint(hu, cistern, CSF_HU, edge=1.2)


def paint_dura(hu: Field, p: Points, dura: Field, textures: Textures) -> None:
    """Paint falx, tentorium and the venous sinuses in them."""
    bend = 0.5 * textures.muscle(p)
    above_callosum = 4.0 + 7.0 * ramp(p.y, -20.0, 40.0) - callosal_core(p)
    falx = np.maximum(np.abs(p.x - bend) - 0.55, np.maximum(above_callosum, dura + 0.2))
    falx = np.maximum(falx, np.where(behind_petrous_ridge(p) < 0.0, -tentorium(p), -100.0))
    paint(hu, np.maximum(falx, -(p.z + 24.0)), DURA_HU, edge=1.0)
    notch = ellipsoid(p, (0, -22, -12), (25, 27, 60))
    sheet = np.maximum(np.abs(tentorium(p)) - 0.7, np.maximum(dura + 0.2, -notch))
    paint(hu, np.maximum(sheet, behind_petrous_ridge(p)), DURA_HU - 8.0, edge=1.0)
    sagittal = p.s * 0.85 - dura - 6.0  # a triangle in the angle between falx and vault
    paint(hu, np.maximum(np.maximum(sagittal, dura), -14.0 - p.z), BLOOD_HU)
    transverse = tube(
        p, [(2, -105, -16), (34, -92, -20), (54, -68, -25), (55, -50, -34)], [3.6, 3.8, 3.8, 3.8]
    )
    straight = capsule(p, (0, -46, 0), (0, -100, -13), 1.8, 2.4)
    for sinus in (transverse, straight):
        paint(hu, np.maximum(sinus, dura - 0.5), BLOOD_HU)


def paint_arteries(hu: Field, p: Points) -> None:
    """Paint the circle of Willis and the basilar artery, a little denser than brain."""
    for course, radii in (
        ([(1, -12, -52), (0.5, -9.5, -36), (0, -8, -22)], [1.6, 1.8, 1.6]),
        ([(9, 4, -30), (9, 5, -22), (18, 4, -19), (30, 4, -17), (39, 2, -12)], [2.2, 1.9, 1.6, 1.4, 1.2]),
        ([(8, 6, -21), (2.5, 14, -19), (1.6, 30, -8), (1.6, 38, 6)], [1.3, 1.2, 1.1, 1.0]),
        ([(1, -8, -21), (10, -13, -17), (18, -24, -13)], [1.3, 1.2, 1.0]),
    ):
        paint(hu, tube(p, course, radii), 46.0)
    paint(hu, capsule(p, (0, 4, -30), (0, 1, -20), 1.0, 1.0), 44.0)  # pituitary stalk
    paint(hu, tube(p, [(2, 2, -21), (6, 8, -24), (13, 15, -30)], [2.0, 1.8, 1.8]), 36.0)  # optic nerves
