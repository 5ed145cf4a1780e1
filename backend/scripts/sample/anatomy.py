"""The whole head, painted from outside to inside into Hounsfield units.

The numbers in these modules are positions and radii in millimetres on the axes of `shapes.Points`, read off an
atlas of the head; a structure is its list of numbers, so they stand where they are used. What is painted later
covers what was painted before.
"""

from __future__ import annotations

import numpy as np

from . import cerebrum, deep_brain, face, posterior_fossa, skull, soft_tissue
from .shapes import Field, Points, ellipsoid, paint
from .space import HEAD_SCALE, Textures

FACE_TOP = 2.0  # mm; above it there is only the vault: nothing of the face needs to be looked at
SAMPLE = slice(None, None, 8)  # enough of the rows to know which heights a tilted slice reaches


def hounsfield_units(p: Points, textures: Textures, spacing_mm: tuple[float, float, float]) -> Field:
    """Noise-free Hounsfield units at `p`, arrays (planes, rows, columns) with that spacing in the scanner."""
    hu = np.full(p.x.shape, -1000.0, dtype=np.float32)
    dura = skull.intracranial_space(p, textures)
    surface = soft_tissue.body_surface(p, dura, textures)
    soft_tissue.paint_soft_tissue(hu, p, dura, surface, textures)
    lowest, highest = float(p.z[:, SAMPLE].min()), float(p.z[:, SAMPLE].max())
    if lowest < -60.0:
        skull.paint_cervical_spine(hu, p, textures)
    if lowest < FACE_TOP:
        skull.paint_bone(hu, p, skull.clivus(p), textures)
    skull.paint_vault(hu, p, dura, textures)
    if lowest < FACE_TOP:
        skull.paint_temporal_bone(hu, p, textures)
        face.paint_facial_skeleton(hu, p, textures)
        soft_tissue.paint_orbits(hu, p, textures)
        face.paint_sinuses(hu, p, dura, textures)
        face.paint_nasal_cavity(hu, p, surface, textures)
        face.paint_mouth(hu, p, textures)
    if highest > -75.0:
        _paint_intracranial(hu, p, dura, textures, spacing_mm)
    return hu


def _paint_intracranial(
    hu: Field, p: Points, dura: Field, textures: Textures, spacing_mm: tuple[float, float, float]
) -> None:
    head_spacing = tuple(step / HEAD_SCALE for step in spacing_mm)
    inside = np.full_like(hu, cerebrum.CSF_HU)
    cerebrum.paint_cerebrum(inside, p, dura, textures, head_spacing)
    deep_brain.paint_nuclei(inside, p, textures)
    posterior_fossa.paint_cisterns(inside, p, textures)
    posterior_fossa.paint_posterior_fossa(inside, p, dura, textures)
    deep_brain.paint_ventricles(inside, p, textures)
    posterior_fossa.paint_arteries(inside, p)
    posterior_fossa.paint_dura(inside, p, dura, textures)
    paint(hu, dura, inside, edge=0.9)
    paint(
        hu, ellipsoid(p, (0, 5, -31), (7, 5.5, 5.0)), 46.0
    )  # pituitary gland, in its hollow of the skull base
