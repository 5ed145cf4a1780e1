"""Frames that lie in one plane, but beside each other: two fields of view, as of both hips."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from imageserver.dicom.frame_description import FrameDescription

PLACE = "place_in_plane"
_BESIDE_MM = 1.0


def name_places(
    frames: Sequence[FrameDescription],
    positions: NDArray[np.float64],
    normal: NDArray[np.float64],
    buckets: NDArray[np.int64],
) -> Sequence[FrameDescription]:
    """Give frames that share a place along the normal, but not in the plane, the number of their place in it.

    Parameters
    ----------
    frames : sequence of FrameDescription
        Of one geometry.
    positions : numpy.ndarray, shape (n, 3), mm
        Image Position (Patient) of each.
    normal : numpy.ndarray, shape (3,)
        Unit vector.
    buckets : numpy.ndarray, shape (n,), int64
        The number of the place along the normal of each.

    Returns
    -------
    sequence of FrameDescription
        With another splitting value, `PLACE`; the same where no two frames lie beside each other.
    """
    in_plane = positions - np.outer(positions @ normal, normal)
    counts = np.bincount(buckets)
    centres = np.stack([np.bincount(buckets, in_plane[:, axis]) / counts for axis in range(3)], axis=1)
    offsets = in_plane - centres[buckets]
    if np.linalg.norm(offsets, axis=1).max() <= _BESIDE_MM / 2:
        return frames
    direction = np.linalg.svd(offsets, full_matrices=False)[2][0]
    direction = direction * np.sign(direction[np.argmax(np.abs(direction))])
    along = in_plane @ direction
    order = np.argsort(along, kind="stable")
    places = np.empty(len(frames), np.int64)
    places[order] = np.concatenate(([1], 1 + np.cumsum(np.diff(along[order]) > _BESIDE_MM)))
    return [
        replace(frame, splitting={**frame.splitting, PLACE: str(place)})
        for frame, place in zip(frames, places, strict=True)
    ]
