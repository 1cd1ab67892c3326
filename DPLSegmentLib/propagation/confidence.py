"""How sure the result is, where, and what to paint next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

_NEAR = 2
_ALWAYS, _MARGIN_COUNTS, _SLICE_COUNTS, _SCORE_COUNTS = -0.31, 0.66, 0.70, 0.73
"""Logistic regression of whether a voxel of a result is right, on results of `train/` (`docs/decisions.md`)."""

VoxelConfidence = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From the probability and DPL's score [n, h, w] and the confidence of each slice [n], all 0..1, to float32 [n, h, w]
in 0..1."""


def voxel_confidence(probability: np.ndarray, score: np.ndarray, slice_confidence: np.ndarray) -> np.ndarray:
    """float32 [n, h, w] in 0..1: how likely voxels of a result are right, by the distance of their probability from a
    toss-up, the mean score of DPL's variants, and the confidence of their slice."""
    margin = plain_margin(probability, score, slice_confidence)
    odds = _MARGIN_COUNTS * np.log((1 + margin) / (1.02 - margin)) + _SCORE_COUNTS * score.astype(np.float32)
    odds += (_ALWAYS + _SLICE_COUNTS * np.log(slice_confidence + 0.02)).astype(np.float32)[:, None, None]
    return 1 / (1 + np.exp(-odds))


def plain_margin(probability: np.ndarray, score: np.ndarray, slice_confidence: np.ndarray) -> np.ndarray:
    """float32 [n, h, w] in 0..1: |2p - 1| alone, whatever else is known; for comparison."""
    return np.abs(2 * probability.astype(np.float32) - 1)


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
