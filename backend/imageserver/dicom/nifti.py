"""Headers of NIfTI-1 files: where voxels lie in the patient, for programs of neuroimaging.

The format is 348 bytes that have not changed since 2003, so they are written here rather than by a library, which
would hold the volume in memory. Tests read them with nibabel.
"""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.modality_lut import Rescale

OFFSET = 352  # where the voxels begin: after the header and four bytes that say that nothing extends it
LONGEST_SIDE = 32767

_HEADER = struct.Struct("<i10s18sihcb 8h 3f 4h 8f 3f hbB 4f 2i 80s24s 2h 6f 12f 16s4s")
_CODES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768}
_SCANNER = 1  # coordinates are those of the scanner
_MILLIMETRES = 2
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SHEAR_TOLERANCE = 1e-4


def nifti_header(
    shape: Sequence[int], dtype: np.dtype[np.generic], affine: NDArray[np.float64], rescale: Rescale | None
) -> bytes:
    """Write the header of a single file (``n+1``) whose voxels follow in C order of (…, slices, rows, columns).

    Parameters
    ----------
    shape : sequence of 3 or 4 int
        ([stacks,] slices, rows, columns), each at most `LONGEST_SIDE`.
    dtype : numpy.dtype
        Of the voxels, little endian.
    affine : numpy.ndarray, shape (4, 4)
        From (column, row, slice) indices to the patient in LPS and mm, as DICOM has it; sheared where the gantry was
        tilted.
    rescale : Rescale or None
        From the voxels to what they mean; None: they mean what they are.

    Returns
    -------
    bytes
        `OFFSET` long. The matrix stands there in RAS, as NIfTI has it; as a rotation as well where it is one.

    References
    ----------
    https://nifti.nimh.nih.gov/nifti-1; DICOM PS3.3 C.7.6.2.1.1
    """
    matrix = _LPS_TO_RAS @ affine
    spacings = [float(np.linalg.norm(matrix[:3, axis])) for axis in range(3)]
    rotation = _quaternion(matrix[:3, :3] / spacings)
    sides = [*reversed(shape), *[1] * (7 - len(shape))]
    kind = dtype.str[1:]
    slope, intercept = (1.0, 0.0) if rescale is None else (rescale.slope, rescale.intercept)
    header = _HEADER.pack(
        348, b"", b"", 0, 0, b"r", 0,
        len(shape), *sides,
        0, 0, 0,
        0, _CODES[kind], 8 * dtype.itemsize, 0,
        rotation[0], *spacings, 1, 1, 1, 1,
        OFFSET, slope, intercept,
        0, 0, _MILLIMETRES,
        0, 0, 0, 0,
        0, 0,
        b"", b"",
        _SCANNER if rotation[0] else 0, _SCANNER,
        *rotation[1:], *matrix[:3, 3],
        *matrix[:3].ravel(),
        b"", b"n+1",
    )  # fmt: skip
    return header + b"\0\0\0\0"


def _quaternion(directions: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Return the sign of the third axis, and b, c, d of the rotation; all 0 where the axes are not at right angles."""
    if np.abs(directions.T @ directions - np.eye(3)).max() > _SHEAR_TOLERANCE:
        return 0.0, 0.0, 0.0, 0.0
    sign = 1.0 if np.linalg.det(directions) > 0 else -1.0
    m = directions * [1.0, 1.0, sign]
    # Of the four ways to compute it the one whose divisor is the largest.
    squares = np.array(
        [
            1 + m[0, 0] + m[1, 1] + m[2, 2],
            1 + m[0, 0] - m[1, 1] - m[2, 2],
            1 - m[0, 0] + m[1, 1] - m[2, 2],
            1 - m[0, 0] - m[1, 1] + m[2, 2],
        ]
    )
    largest = int(np.argmax(squares))
    row = [
        [squares[0], m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]],
        [m[2, 1] - m[1, 2], squares[1], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0]],
        [m[0, 2] - m[2, 0], m[0, 1] + m[1, 0], squares[2], m[1, 2] + m[2, 1]],
        [m[1, 0] - m[0, 1], m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], squares[3]],
    ][largest]
    a, b, c, d = np.array(row) / (2 * np.sqrt(squares[largest]))
    turned = -1.0 if a < 0 else 1.0  # the format leaves a out, as the one that is not negative
    return sign, float(turned * b), float(turned * c), float(turned * d)
