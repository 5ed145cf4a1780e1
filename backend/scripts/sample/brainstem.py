"""Midbrain, pons, medulla and cord: the axis around which fluid, cerebrum and cerebellum are arranged."""

from __future__ import annotations

from .shapes import Field, Points, blend, capsule, ellipsoid, tube


def brainstem(p: Points) -> Field:
    """Midbrain with its peduncles, pons, medulla and cervical cord."""
    tegmentum = capsule(p, (0, -25, -18), (0, -22, -11), 11.5, 12.0)
    peduncle = capsule(p, (7, -15, -20), (13, -11, -9), 5.5, 6.0)
    colliculi = ellipsoid(p, (5, -34, -10), (6, 5, 7))
    midbrain = blend(blend(tegmentum, peduncle, 4.0), colliculi, 3.0)
    pons = ellipsoid(p, (0, -25, -33), (18, 13.5, 15))
    cord = tube(p, [(0, -34, -46), (0, -40, -60), (0, -43, -80), (0, -45, -125)], [9, 7.5, 6, 6])
    return blend(blend(midbrain, pons, 6.0), cord, 6.0)
