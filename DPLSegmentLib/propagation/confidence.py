"""How sure the result is, where, and what to paint next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

_NEAR = 2
_SLICE_COUNTS = 0.25

VoxelConfidence = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From the probability [n, h, w] and the confidence of each slice [n], both 0..1, to float32 [n, h, w] in 0..1."""


def voxel_confidence(probability: np.ndarray, slice_confidence: np.ndarray) -> np.ndarray:
    """float32 [n, h, w] in 0..1: the distance of the probability from a toss-up, times the fourth root of the slice's
    confidence: the whole of it ordered voxels worse (`docs/decisions.md`)."""
    certainty = np.abs(2 * probability.astype(np.float32) - 1)
    return certainty * slice_confidence[:, None, None] ** np.float32(_SLICE_COUNTS)


def plain_margin(probability: np.ndarray, slice_confidence: np.ndarray) -> np.ndarray:
    """float32 [n, h, w] in 0..1: |2p - 1| alone, whatever the slice's confidence; for comparison."""
    return voxel_confidence(probability, np.ones_like(slice_confidence))


def next_to_paint(confidence: np.ndarray, visited: np.ndarray, painted: Sequence[int], sizes: np.ndarray) -> int | None:
    """The visited slice where painting would help most: least certain, weighted by how much is there and by the root of
    how far it is from what is painted and from where nothing is found.

    `confidence`, `visited` and `sizes` (voxels) are [n]; slices next to a painted one are left out. None when the
    sweep reached no other slice.
    """
    distance = np.min([np.abs(np.arange(len(sizes)) - index) for index in (*painted, np.inf)], axis=0)
    usable = visited & (distance > min(_NEAR, max(1, int(visited.sum()) // 4)))
    if not usable.any():
        return None
    weight = np.sqrt(sizes / max(sizes.max(), 1)) + 0.15
    doubt = (1 - confidence) * weight * np.sqrt(np.minimum(distance, _from_the_ends(sizes)))
    return int(np.where(usable, doubt, -1.0).argmax())


def _from_the_ends(sizes: np.ndarray) -> np.ndarray:
    """[n]: how many slices it is to the nearest one beyond the first and last that hold anything; 0 there."""
    there = np.flatnonzero(sizes)
    if not there.size:
        return np.ones(len(sizes))
    index = np.arange(len(sizes))
    return np.maximum(0, np.minimum(index - there[0], there[-1] - index) + 1)
