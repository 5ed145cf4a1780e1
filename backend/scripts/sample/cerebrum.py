"""The cerebral hemispheres: folded cortex over white matter, and the fluid between the folds."""

from __future__ import annotations

import numpy as np

from .brainstem import brainstem
from .shapes import Field, Points, blend, bump, ellipsoid, paint, ramp
from .space import Textures

CSF_HU = 7.0
GREY_HU = 38.5
WHITE_HU = 28.0
CORTEX_MM = 3.1
SULCUS_DEPTH_MM = 17.0


def tentorium(p: Points) -> Field:
    """Height above the tentorium: positive for the occipital lobes, negative for the cerebellum."""
    behind, before = np.maximum(-45.0 - p.y, 0.0), np.maximum(p.y + 60.0, 0.0)
    height = -2.0 - 0.12 * behind - 0.20 * p.s - 0.002 * p.s * p.s - 0.010 * p.s * before
    return p.z - np.maximum(height, -31.0)


def behind_petrous_ridge(p: Points) -> Field:
    """Negative behind the front edge of the tentorium, which runs along the petrous bones."""
    return p.y + 11.0 + 0.69 * np.maximum(p.s - 14.0, 0.0)


def callosal_core(p: Points) -> Field:
    """The corpus callosum and what lies beneath it, where the two hemispheres are joined."""
    upper = ellipsoid(p, (0, -6, 0), (60, 37, 27))
    return np.maximum(upper, p.s - 34.0)


def hemisphere_envelope(p: Points, dura: Field, textures: Textures) -> Field:
    """Outer surface of one hemisphere as if it had no folds."""
    atrophy = 2.6 + 1.0 * bump(p, (25, 55, 30), (60, 50, 60)) + 0.5 * textures.tissue(p)
    outer = dura + atrophy
    above_tentorium = np.where(behind_petrous_ridge(p) < 0.0, -(tentorium(p) - 1.2), -100.0)
    outer = np.maximum(outer, above_tentorium)
    fissure = 1.4 + 0.35 * textures.tissue(p) + 1.0 * bump(p, (0, 50, 30), (60, 40, 50)) - p.s
    separated = np.maximum(outer, np.minimum(fissure, callosal_core(p)))
    around_stem = np.maximum(brainstem(p) - 3.2 - 0.8 * textures.lobules(p), p.z + 9.0)
    around_chiasm = blend(ellipsoid(p, (0, -1, -22), (10, 11, 9)), ellipsoid(p, (9, 3, -20), (10, 3, 4)), 3.0)
    return np.maximum(separated, -blend(around_stem, around_chiasm, 3.0))


def sylvian_fissure(p: Points, textures: Textures) -> Field:
    """Distance to the fluid of the lateral fissure: a cleft from the temple in to the insula."""
    height = np.where(p.y < 18.0, -9.0 + (18.0 - p.y) * 0.42, -9.0 - (p.y - 18.0) * 0.8)
    height = height + 1.6 * textures.muscle(p)  # the cleft winds
    tilt = 1.0 / np.float32(np.sqrt(1.0 + 0.42**2))
    cleft = np.abs(p.z - height - 0.10 * (p.s - 40.0)) * tilt
    cleft = np.maximum(cleft, 39.0 - p.s)
    cleft = np.maximum(cleft, np.abs(p.y + 6.0) - 34.0)
    insular = np.sqrt(((p.y - 1.0) / 24.0) ** 2 + ((p.z - 2.0) / 16.0) ** 2)
    plane = 40.5 - 0.010 * (p.y - 2.0) ** 2 + 0.04 * (p.z - 2.0)
    cistern = np.maximum(np.abs(p.s - plane), (insular - 1.0) * 16.0)
    return np.minimum(cleft, cistern)


def _fold_coordinates(p: Points, textures: Textures) -> Points:
    """Points drawn out towards the surface, so that sulci run inwards instead of winding at random."""
    cx, cy, cz = 22.0, -12.0, 4.0
    dx, dy, dz = p.s - cx, p.y - cy, p.z - cz
    radius = np.sqrt((dx / 48.0) ** 2 + (dy / 84.0) ** 2 + (dz / 66.0) ** 2)
    stretch = 0.62 / np.maximum(radius, 0.25) + 0.38
    side = np.where(p.x >= 0, 0.0, 71.0).astype(np.float32)  # left and right fold differently
    wander = 2.0 * textures.muscle(p)
    return Points(p.x, dx * stretch + wander + side, dy * stretch, dz * stretch + wander)


def _gradient_length(field: Field, spacing_mm: tuple[float, float, float]) -> Field:
    steps = np.gradient(field, *spacing_mm)
    return np.sqrt(steps[0] ** 2 + steps[1] ** 2 + steps[2] ** 2)


def sulci(p: Points, envelope: Field, textures: Textures, spacing_mm: tuple[float, float, float]) -> Field:
    """Distance to the fluid in the sulci, which are the zero sheets of a band-limited noise."""
    folds = textures.folds(_fold_coordinates(p, textures))
    distance = np.abs(folds) / np.maximum(_gradient_length(folds, spacing_mm), 0.10)
    depth = -envelope
    reach = SULCUS_DEPTH_MM + 3.5 * textures.fold_depth(p)
    half_width = np.clip((reach - depth) * 0.30, -4.0, 0.62 + 0.30 * textures.tissue(p))
    half_width += 0.9 * ramp(depth, 5.0, 0.0)  # sulci open towards the surface
    central = ellipsoid(p, (0, -10, -2), (39, 48, 30))  # basal ganglia and thalamus have no sulci
    return np.maximum(distance - half_width, np.minimum(-central, 8.0))


def cerebrum(p: Points, dura: Field, textures: Textures, spacing_mm: tuple[float, float, float]) -> Field:
    """Distance to the pial surface: negative inside brain tissue."""
    envelope = hemisphere_envelope(p, dura, textures)
    sylvian = sylvian_fissure(p, textures) - (0.95 + 0.35 * textures.tissue(p))
    fluid = blend(sulci(p, envelope, textures, spacing_mm), sylvian, 1.0)
    return np.maximum(envelope, -fluid)


def paint_cerebrum(
    hu: Field, p: Points, dura: Field, textures: Textures, spacing_mm: tuple[float, float, float]
) -> None:
    """Paint fluid, then grey matter, then white matter inside it."""
    pial = cerebrum(p, dura, textures, spacing_mm)
    paint(hu, pial, GREY_HU + 0.8 * textures.tissue(p), edge=0.9)
    paint(hu, pial + CORTEX_MM + 0.35 * textures.tissue(p), WHITE_HU + 0.9 * textures.tissue(p), edge=1.6)
