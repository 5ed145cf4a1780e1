"""Ventricles, basal ganglia, thalamus and the calcifications of a healthy sixty-year-old."""

from __future__ import annotations

import numpy as np

from .cerebrum import CSF_HU, GREY_HU, WHITE_HU
from .shapes import Field, Points, blend, bump, capsule, carve, ellipsoid, paint, tube
from .space import Textures


def caudate(p: Points) -> Field:
    """Head, body and tail of the caudate nucleus, along the outer wall of the lateral ventricle."""
    head = ellipsoid(p, (14.5, 15, 5), (5.5, 11, 9))
    body = tube(p, [(15, 12, 12), (17.5, -4, 19), (20, -20, 20), (27, -34, 14)], [4.5, 3.2, 2.4, 1.5])
    return blend(head, body, 3.0)


def lateral_ventricle(p: Points, textures: Textures) -> Field:
    """Frontal horn, body, trigone, occipital and temporal horn."""
    horn = tube(p, [(4.2, 2, 6), (8.5, 16, 5), (14.5, 29, 4)], [3.2, 5.0, 3.2])
    roof = tube(p, [(13, 27, 10), (10, 12, 17), (10, -4, 22), (14, -22, 21)], [3.2, 4.6, 4.6, 5.2])
    trigone = tube(p, [(14, -22, 21), (23, -38, 13), (27, -45, 7)], [5.2, 6.6, 6.8])
    occipital = tube(p, [(27, -45, 7), (27, -58, 5), (23, -74, 4)], [5.5, 3.4, 1.4])
    temporal = tube(p, [(28, -42, 4), (34, -34, -8), (35, -20, -17), (31, -8, -21)], [5.0, 2.6, 1.9, 1.5])
    front = blend(horn, roof, 4.0)
    back = blend(blend(trigone, occipital, 4.0), temporal, 3.0)
    lumen = blend(front, back, 4.0) + 0.35 * textures.lobules(p)
    lumen = carve(lumen, -caudate(p), 2.0)
    lumen = carve(lumen, -thalamus(p), 2.0)
    return np.maximum(lumen, 1.1 - p.s)


def thalamus(p: Points) -> Field:
    """The thalamus: an egg beside the third ventricle, wider behind (pulvinar)."""
    return blend(ellipsoid(p, (10, -14, 6), (7.5, 11, 9)), ellipsoid(p, (15, -25, 6), (8.5, 8, 8.5)), 6.0)


def lentiform(p: Points) -> Field:
    """Putamen and pallidum: a lens, convex outwards, pointed inwards."""
    outer = ellipsoid(p, (16, 0, 1), (17, 21, 15))
    wedge = (21.5 - p.s) + 0.42 * np.abs(p.y - 3.0)
    return carve(outer, wedge, 3.0)


def third_ventricle(p: Points) -> Field:
    """A slit between the thalami."""
    outline = ellipsoid(p, (0, -12, 0), (40, 15.5, 13))
    return np.maximum(outline, p.s - 2.2 - 0.9 * bump(p, (0, -18, 0), (40, 16, 14)))


def paint_nuclei(hu: Field, p: Points, textures: Textures) -> None:
    """Paint the white matter core and the grey nuclei in it."""
    _paint_white_core(hu, p, textures)
    paint(hu, caudate(p), GREY_HU + 0.5, edge=1.4)
    lens = lentiform(p)
    paint(hu, lens, GREY_HU + 1.0, edge=1.4)
    paint(hu, np.maximum(lens + 1.0, p.s - 22.5), GREY_HU - 2.0, edge=2.0)  # pallidum
    claustrum = np.maximum(np.abs(p.s - 35.4 + 0.011 * (p.y - 2.0) ** 2) - 0.5, np.abs(p.y) - 15.0)
    paint(hu, np.maximum(claustrum, np.abs(p.z - 1.0) - 11.0), GREY_HU - 3.0, edge=1.2)
    paint(hu, thalamus(p), GREY_HU - 0.8, edge=2.0)


def paint_ventricles(hu: Field, p: Points, textures: Textures) -> None:
    """Paint the lateral and third ventricles and what lies in them."""
    paint(hu, lateral_ventricle(p, textures), CSF_HU, edge=1.0)
    paint(hu, third_ventricle(p), CSF_HU, edge=1.0)
    paint(hu, capsule(p, (2.0, 1, 6), (5.5, 4, 9), 1.4, 1.8), CSF_HU)  # foramen of Monro
    fornix = tube(p, [(2.4, 5, 4), (2.2, 2, 11), (2.5, -12, 16)], [1.5, 1.5, 1.7])
    paint(hu, fornix, WHITE_HU + 3.0)
    paint(hu, np.maximum(p.s - 0.7, ellipsoid(p, (0, 13, 9), (60, 17, 9))), WHITE_HU + 2.0)  # septum
    _paint_calcifications(hu, p, textures)


def _paint_white_core(hu: Field, p: Points, textures: Textures) -> None:
    """Corpus callosum, internal and external capsule: the white matter that joins all the rest."""
    core = ellipsoid(p, (0, -6, 3), (37.0, 38, 24))
    core = np.maximum(core, p.s - (37.0 - 0.011 * (p.y - 2.0) ** 2))
    core = np.maximum(core, -(p.z + 13.0))
    paint(hu, core, WHITE_HU + 0.7 * textures.tissue(p), edge=1.6)


def _paint_calcifications(hu: Field, p: Points, textures: Textures) -> None:
    paint(hu, ellipsoid(p, (0, -33, 3), (3.4, 4.2, 3.2)), 40.0)  # pineal gland
    paint(hu, ellipsoid(p, (0.3, -34, 3), (1.9, 2.3, 1.8)), 210.0, edge=1.6)
    plexus = tube(p, [(16, -30, 17), (23, -40, 11), (26, -46, 7)], [1.2, 2.2, 2.7]) + 0.7 * textures.lobules(
        p
    )
    paint(hu, plexus, 44.0, edge=1.4)
    paint(hu, plexus + 1.6 - 0.7 * textures.trabeculae(p), 190.0, edge=1.8)
    paint(hu, ellipsoid(p, (19, 1, -1), (1.6, 3.2, 2.2)), 52.0, edge=3.0)  # faint pallidal calcium
