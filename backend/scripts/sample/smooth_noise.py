"""Smooth three-dimensional noise with a chosen wavelength, the same at every run."""

from __future__ import annotations

import numpy as np

from .shapes import Field, Points

LATTICE = 64  # points per axis; a power of two, so that wrapping is a bit mask
CELLS_PER_WAVELENGTH = 8.0  # where the band-pass below has its peak


def _blurred(lattice: np.ndarray, passes: int) -> np.ndarray:
    """Binomial blur along the three axes, wrapping around."""
    for axis in (0, 1, 2) * passes:
        lattice = 0.5 * lattice + 0.25 * (np.roll(lattice, 1, axis) + np.roll(lattice, -1, axis))
    return lattice


def _band_passed(lattice: np.ndarray) -> np.ndarray:
    """Keep wavelengths near `CELLS_PER_WAVELENGTH` cells: a difference of two blurs."""
    fine = _blurred(lattice, 4)
    return fine - _blurred(fine, 6)


class SmoothNoise:
    """A random field of mean 0 and standard deviation 1 that varies over `wavelength_mm`."""

    def __init__(self, seed: int, wavelength_mm: float) -> None:
        white = np.random.Generator(np.random.PCG64(seed)).standard_normal((LATTICE,) * 3)
        band = _band_passed(_band_passed(white))
        self._lattice = ((band - band.mean()) / band.std()).astype(np.float32).ravel()
        self._last: tuple[Points, Field] | None = None
        self._cells_per_mm = CELLS_PER_WAVELENGTH / wavelength_mm

    def __call__(self, p: Points) -> Field:
        """Sample the field at `p`, by trilinear interpolation between lattice points.

        The last result is kept: many structures of one slice share a texture. Callers must not change it.
        """
        if self._last is None or self._last[0] is not p:
            self._last = (p, self._sample(p))
        return self._last[1]

    def _sample(self, p: Points) -> Field:
        low, high, weight = zip(*(self._cells(axis) for axis in (p.z, p.y, p.x)), strict=True)
        rows = [(a * LATTICE + b) * LATTICE for a in (low[0], high[0]) for b in (low[1], high[1])]
        edges = [
            self._lattice[row + low[2]]
            + (self._lattice[row + high[2]] - self._lattice[row + low[2]]) * weight[2]
            for row in rows
        ]
        near = edges[0] + (edges[1] - edges[0]) * weight[1]
        far = edges[2] + (edges[3] - edges[2]) * weight[1]
        return near + (far - near) * weight[0]

    def _cells(self, axis_mm: Field) -> tuple[np.ndarray, np.ndarray, Field]:
        cells = axis_mm * self._cells_per_mm
        floor = np.floor(cells)
        low = floor.astype(np.int32) & (LATTICE - 1)
        return low, (low + 1) & (LATTICE - 1), cells - floor
