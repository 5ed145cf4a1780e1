"""Everything outside the skull that is neither bone nor air: skin, fat, muscle, ears, eyes."""

from __future__ import annotations

import numpy as np

from .shapes import Field, Points, blend, bump, capsule, carve, ellipsoid, paint, ramp, tube
from .skull import bone_thickness
from .space import Textures

SKIN_HU = 35.0
FAT_HU = -98.0
MUSCLE_HU = 56.0


def body_surface(p: Points, dura: Field, textures: Textures) -> Field:
    """Distance to the skin."""
    scalp = 5.2 + 0.6 * textures.tissue(p) + 6.0 * bump(p, (64, 22, -18), (28, 40, 40))
    cranium = dura - bone_thickness(p, textures) - scalp
    cheeks = blend(ellipsoid(p, (0, 36, -70), (66, 58, 58)), ellipsoid(p, (24, 62, -70), (32, 26, 46)), 16.0)
    brow = ellipsoid(p, (22, 66, -34), (34, 21, 26))
    face = blend(blend(cheeks, brow, 14.0), _nose(p), 7.0)
    face = blend(face, ellipsoid(p, (0, 84, -90), (24, 19, 14)), 8.0)  # lips
    face = blend(face, ellipsoid(p, (50, -8, -84), (23, 30, 40)), 14.0)  # angle of the jaw, parotid
    neck = ellipsoid(p, (0, -42, -122), (60, 58, 80))
    return blend(blend(cranium, face, 10.0), neck, 14.0)


def _nose(p: Points) -> Field:
    bridge = capsule(p, (0, 86, -32), (0, 109, -64), 6.0, 8.5)
    wings = ellipsoid(p, (9, 101, -68), (8, 11, 8))
    return blend(bridge, wings, 5.0)


def paint_soft_tissue(hu: Field, p: Points, dura: Field, surface: Field, textures: Textures) -> None:
    """Paint skin, subcutaneous fat and the muscles of head and neck, in that order from outside."""
    _paint_ears(hu, p, textures)
    paint(hu, surface, SKIN_HU, edge=1.0)
    fat = FAT_HU + 9.0 * textures.lobules(p)
    paint(hu, surface + 1.9, fat, edge=1.2)
    scalp_muscle = np.maximum(dura - bone_thickness(p, textures) - 1.6, -(p.z + 30.0))
    paint(hu, scalp_muscle, 30.0, edge=1.2)  # galea and periosteum
    _paint_muscles(hu, p, dura, surface, textures)
    _paint_glands_and_vessels(hu, p, textures)


# Centre and radii of the muscle bellies that a head CT meets, from above downwards.
MUSCLES = (
    ((59, 12, -80), (8.5, 15, 27)),  # masseter
    ((46, 24, -52), (5, 12, 16)),  # temporalis, towards the coronoid process
    ((36, 8, -60), (11, 14, 8)),  # lateral pterygoid
    ((37, 2, -86), (7, 12, 20)),  # medial pterygoid
    ((39, 40, -84), (3, 26, 9)),  # buccinator
    ((7, -8, -92), (6, 4, 30)),  # longus capitis
    ((15, 2, -92), (3, 11, 22)),  # pharyngeal constrictor
    ((0, 20, -86), (11, 11, 5)),  # soft palate
    ((56, -46, -100), (8, 15, 36)),  # sternocleidomastoid
    ((47, -34, -84), (5, 9, 20)),  # digastric
    ((36, -46, -104), (8, 9, 24)),  # longissimus, scalenes
    ((22, -56, -86), (13, 6, 7)),  # oblique muscles of the head
    ((8, -74, -80), (6.5, 8, 14)),  # straight muscles of the head
    ((13, -84, -96), (10.5, 12, 40)),  # semispinalis
    ((31, -76, -98), (9, 15, 38)),  # splenius
    ((16, -99, -104), (17, 4, 34)),  # trapezius
)


def _paint_muscles(hu: Field, p: Points, dura: Field, surface: Field, textures: Textures) -> None:
    strands = MUSCLE_HU - 3.0 + 7.0 * textures.lobules(p)
    scattered = np.maximum(0.6 - textures.muscle(p), np.maximum(surface + 9.0, p.z + 42.0))
    paint(hu, np.maximum(scattered, p.y - 70.0), strands, edge=1.0)  # fascia and small muscles
    temporalis = np.maximum(ellipsoid(p, (62, 20, -18), (22, 42, 46)), surface + 4.5)
    paint(hu, np.maximum(temporalis, -(dura - 1.0)), strands, edge=1.2)
    uneven = 0.8 * textures.lobules(p)
    nuchal = np.maximum(ellipsoid(p, (0, -62, -104), (56, 50, 52)), surface + 6.0)
    paint(hu, nuchal, strands, edge=1.4)
    for centre, radii in MUSCLES:
        belly = np.maximum(ellipsoid(p, centre, radii, 0.3) + uneven, surface + 3.0)
        paint(hu, belly - 1.1, FAT_HU, edge=1.3)  # each belly lies in its own plane of fat
        paint(hu, belly, strands, edge=1.3)
    orbicularis = np.maximum(np.abs(surface + 4.0) - 1.2, ellipsoid(p, (0, 90, -90), (32, 20, 20)))
    paint(hu, orbicularis, strands, edge=1.2)


def _paint_glands_and_vessels(hu: Field, p: Points, textures: Textures) -> None:
    paint(hu, ellipsoid(p, (61, -16, -76), (9, 12, 20)), 2.0 + 18.0 * textures.lobules(p), edge=1.5)
    for course, radii in (
        ([(26, -8, -110), (25, -10, -80), (24, -10, -62)], [3.0, 2.6, 2.4]),  # internal carotid artery
        ([(31, -15, -110), (31, -16, -85), (29, -17, -66)], [4.5, 4.5, 4.0]),  # internal jugular vein
        ([(38, 2, -110), (44, -6, -88), (48, -10, -70)], [2.2, 2.0, 1.8]),  # external carotid artery
    ):
        paint(hu, tube(p, course, radii) - 1.6, FAT_HU, edge=1.6)
        paint(hu, tube(p, course, radii), 46.0)


def _paint_ears(hu: Field, p: Points, textures: Textures) -> None:
    """The auricle: a tilted plate with a rim (helix), a fold (antihelix) and a root around the canal."""
    lean = p.s - 76.5 - 0.42 * (-24.0 - p.y) - 0.9 * textures.lobules(p)
    outline = ellipsoid(Points(p.x, 0.0 * p.s, p.y, p.z), (0, -37, -40), (1000, 18, 32))
    rim = np.sqrt((outline + 1.5) ** 2 + (lean - 1.8) ** 2) - 2.4
    fold = np.sqrt((outline + 8.5) ** 2 + (lean - 1.2) ** 2) - 2.0
    auricle = blend(
        blend(carve(np.abs(lean) - 2.1, outline, 2.0), rim, 1.5), np.maximum(fold, p.z + 50.0), 1.5
    )
    root = blend(ellipsoid(p, (75, -25, -45), (8, 9, 15)), ellipsoid(p, (80, -26, -68), (4, 7, 8)), 4.0)
    ear = blend(auricle, root, 3.0)
    concha = ellipsoid(p, (85, -29, -45), (8, 8, 9))
    paint(hu, np.maximum(np.maximum(ear, -concha), 66.0 - p.s), 8.0, edge=1.0)


def orbit_cone(p: Points) -> Field:
    """The orbit: a cone from the optic canal to the rim."""
    cone = capsule(p, (15, 17, -32), (32, 60, -37), 3.0, 20.0)
    return np.maximum(cone, p.y - 68.0 + 0.35 * np.maximum(p.s - 20.0, 0.0))


def paint_orbits(hu: Field, p: Points, textures: Textures) -> None:
    """Paint orbital walls, fat, eye muscles, optic nerve and globe."""
    cone = orbit_cone(p)
    behind_rim = np.maximum(cone - 1.3 - 1.6 * ramp(p.s, 34.0, 46.0), p.y - 62.0 + 0.45 * (p.s - 12.0))
    paint(hu, behind_rim, 1150.0 - 550.0 * ramp(p.s, 18.0, 13.0), edge=1.0)
    paint(hu, cone, FAT_HU + 4.0 * textures.lobules(p), edge=1.0)
    for course, radii in (
        ([(15.5, 22, -33), (16.5, 42, -36), (21, 58, -37)], [1.6, 2.4, 1.2]),  # medial rectus
        ([(21, 22, -33), (38, 42, -36), (42.5, 57, -37)], [1.6, 2.2, 1.2]),  # lateral rectus
        ([(18, 22, -29), (26, 42, -23.5), (31, 58, -25.5)], [1.6, 2.4, 1.4]),  # superior rectus, levator
        ([(18, 22, -37), (26, 42, -47.5), (31, 57, -48)], [1.6, 2.3, 1.4]),  # inferior rectus
        ([(13.5, 24, -30), (16, 48, -27.5), (17, 66, -28)], [1.2, 1.6, 1.0]),  # superior oblique
    ):
        paint(hu, np.maximum(tube(p, course, radii), cone + 0.5), 52.0)
    nerve = [(14, 14, -31), (18.5, 25, -32), (24, 36, -34.5), (30, 48, -36.5)]
    paint(hu, tube(p, nerve, [1.9, 2.0, 2.1, 2.3]), 36.0)
    paint(hu, ellipsoid(p, (45, 57, -28), (3, 8, 6)), 42.0)  # lacrimal gland
    _paint_globe(hu, p)


def _paint_globe(hu: Field, p: Points) -> None:
    lids = carve(ellipsoid(p, (32, 64, -37), (19, 13.5, 14)), 62.0 - p.y, 6.0)
    paint(hu, lids, 40.0, edge=1.2)
    globe = blend(ellipsoid(p, (32, 60, -37), (13, 13, 13)), ellipsoid(p, (32, 68, -37), (6.5, 7, 6.5)), 2.0)
    paint(hu, globe, 55.0)  # sclera, choroid, cornea
    paint(hu, globe + 1.3, 9.0)  # vitreous and aqueous humour
    paint(hu, ellipsoid(p, (32, 68.0, -37), (4.9, 2.3, 4.9)), 92.0)  # lens
