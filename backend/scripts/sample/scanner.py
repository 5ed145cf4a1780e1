"""What the scanner does to the anatomy: slices of finite thickness, blur, beam hardening, noise, table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .anatomy import hounsfield_units
from .shapes import Field
from .space import Textures, head_points

PLANES_PER_SLICE = 3  # averaged: the partial volume effect along the axis
NOISE_HU = 3.2
NOISE_SEED = 20260101


@dataclass(frozen=True)
class Scan:
    """Geometry of the reconstruction, in mm; the head's centre is at x = y = z = 0 of the scanner."""

    rows: int = 384
    columns: int = 384
    pixel_spacing: float = 0.611328125
    slice_count: int = 68
    slice_thickness: float = 2.5
    first_position: float = -79.0
    field_centre_y: float = 2.0

    def slice_position(self, index: int) -> float:
        """Position along the axis (mm, superior positive) of the slice `index`, counted from the feet."""
        return self.first_position + index * self.slice_thickness

    @property
    def first_pixel(self) -> tuple[float, float]:
        """LPS x and y (mm) of the centre of the first pixel."""
        half_x = (self.columns - 1) / 2 * self.pixel_spacing
        half_y = (self.rows - 1) / 2 * self.pixel_spacing
        return -half_x, self.field_centre_y - half_y


def _positions(scan: Scan, index: int) -> tuple[Field, Field, Field]:
    """LPS coordinates of the planes that make up one slice, each (planes, rows, columns)."""
    step = scan.slice_thickness / PLANES_PER_SLICE
    offsets = (np.arange(PLANES_PER_SLICE) - (PLANES_PER_SLICE - 1) / 2) * step
    x0, y0 = scan.first_pixel
    z = scan.slice_position(index) + offsets
    y = y0 + np.arange(scan.rows) * scan.pixel_spacing
    x = x0 + np.arange(scan.columns) * scan.pixel_spacing
    shape = (len(z), len(y), len(x))
    grids = (x[None, None, :], y[None, :, None], z[:, None, None])
    x, y, z = (np.broadcast_to(grid, shape).astype(np.float32) for grid in grids)
    return x, y, z


def _blurred(image: Field, weights: tuple[float, float] = (0.5, 0.25)) -> Field:
    """Three-point blur along rows and columns."""
    for axis in (0, 1):
        padded = np.pad(image, [(1, 1) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        before, after = (padded[:-2], padded[2:]) if axis == 0 else (padded[:, :-2], padded[:, 2:])
        image = weights[0] * image + weights[1] * (before + after)
    return image


def _headrest(hu: Field, x: Field, y: Field) -> None:
    """Draw the carbon-fibre head holder and its foam pad under the head."""
    radius = np.sqrt(x**2 + (y - 14.0) ** 2)
    below = y > 40.0 + 0.1 * x
    foam = np.abs(radius - 98.0) < 2.4
    shell = np.abs(radius - 101.2) < 0.9
    hu[below & foam & (hu < -900.0)] = -955.0
    hu[below & shell & (hu < -900.0)] = -420.0


def _beam_hardening(hu: Field) -> Field:
    """Shading (HU): darker between dense bones along the row, brighter under the vault."""
    bone = np.clip(hu - 300.0, 0.0, 1500.0)
    left = np.cumsum(bone, axis=1, dtype=np.float64)
    right = left[:, -1:] - left
    between = np.minimum(np.minimum(left, right) / 30000.0, 1.0).astype(np.float32)
    for _ in range(6):
        between = _blurred(between)
    glow = np.clip(hu, 0.0, 1500.0) / 1500.0
    for _ in range(30):
        glow = _blurred(glow)
    soft = (np.abs(hu) < 120.0).astype(np.float32)
    return soft * (10.0 * glow - 6.0 * between**2)


def _noise(scan: Scan, index: int, hu: Field) -> Field:
    """Grainy noise as filtered back projection leaves it: no slow waves, little in air, most in the middle."""
    random = np.random.Generator(np.random.PCG64([NOISE_SEED, index]))
    white = random.standard_normal((scan.rows, scan.columns)).astype(np.float32)
    grain = _blurred(white)
    slow = grain
    for _ in range(8):
        slow = _blurred(slow)
    grain = grain - 0.8 * slow
    body = (hu > -500.0).astype(np.float32)
    for _ in range(40):
        body = _blurred(body)
    level = NOISE_HU * (0.3 + 0.7 * body)
    return level * grain / np.float32(grain.std(dtype=np.float64))


def acquire_slice(scan: Scan, textures: Textures, index: int) -> np.ndarray:
    """Reconstruct one slice.

    Parameters
    ----------
    scan : Scan
        Geometry.
    textures : Textures
        The irregularity of this head.
    index : int
        Slice number from the feet, from 0.

    Returns
    -------
    numpy.ndarray, shape (rows, columns), int16
        Hounsfield units, -1024 to 3071.
    """
    x, y, z = _positions(scan, index)
    spacing = (scan.slice_thickness / PLANES_PER_SLICE, scan.pixel_spacing, scan.pixel_spacing)
    hu = hounsfield_units(head_points(x, y, z, textures), textures, spacing).mean(axis=0)
    _headrest(hu, x[0], y[0])
    hu = _blurred(hu, (0.7, 0.15))
    hu = hu + _beam_hardening(hu)
    hu = hu + _noise(scan, index, hu)
    return np.clip(np.rint(hu), -1024, 3071).astype(np.int16)
