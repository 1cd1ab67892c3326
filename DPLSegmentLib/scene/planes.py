"""In which planes a segment was painted."""

from __future__ import annotations

import numpy as np

from DPLSegmentLib.images.axes import painted_indices

Plane = tuple[int, int]

REFORMATTED = -1
_FEW = 5
_MOST_CROSSING = 12
_SOLID = 0.12


def planes_of(mask: np.ndarray, ijk_to_ras: np.ndarray) -> tuple[Plane, ...]:
    """(axis, index) of the painted slices of a mask [z, y, x]; axis -1 for a reformatted plane; () for a 3D segment.

    Slices are those that stand alone, however many; those of several axes that cross; or at most five neighbours.
    """
    from DPLSegmentLib.images.slanted import slanted_normal

    slices = [painted_indices(mask, axis) for axis in range(3)]
    alone = [axis for axis in range(3) if all(b - a > 1 for a, b in zip(slices[axis], slices[axis][1:], strict=False))]
    if alone:
        return _along(slices, min(alone, key=lambda axis: len(slices[axis])))
    if not _is_solid(mask):
        if slanted_normal(mask, ijk_to_ras) is not None:
            return ((REFORMATTED, 0),)
        crossing = _crossing(mask)
        if crossing:
            return crossing
    axis = _few(slices)
    return () if axis is None else _along(slices, axis)


def _along(slices: list[list[int]], axis: int) -> tuple[Plane, ...]:
    return tuple((axis, index) for index in slices[axis])


def _few(slices: list[list[int]]) -> int | None:
    """The axis with at most five slices, clearly fewer than along the others."""
    counts = [len(indices) for indices in slices]
    fewest, next_fewest, _ = sorted(counts)
    if fewest > _FEW:
        return None
    return counts.index(fewest) if 2 * fewest < next_fewest else 0 if counts[0] <= _FEW else None


def _is_solid(mask: np.ndarray) -> bool:
    """True when a share of the voxels is surrounded by painted ones, which nothing painted in single planes has."""
    inside = mask[1:-1, 1:-1, 1:-1].copy()
    for axis in range(3):
        for side in (slice(0, -2), slice(2, None)):
            box = [slice(1, -1)] * 3
            box[axis] = side
            inside &= mask[tuple(box)]
    return np.count_nonzero(inside) > _SOLID * np.count_nonzero(mask)


def _crossing(mask: np.ndarray) -> tuple[Plane, ...]:
    """Slices of several axes that hold everything painted, the one with most voxels that are alone first; () if none.

    A voxel is alone along an axis when neither neighbour along it is painted.
    """
    voxels = np.argwhere(mask)
    alone = _alone(mask, voxels)
    left = np.ones(len(voxels), bool)
    found: list[Plane] = []
    while left.any() and len(found) < _MOST_CROSSING:
        counts = [np.bincount(voxels[left & alone[:, axis], axis], minlength=1) for axis in range(3)]
        axis = int(np.argmax([count.max() for count in counts]))
        index = int(np.argmax(counts[axis]))
        plane = left & (voxels[:, axis] == index)
        if 2 * counts[axis][index] < np.count_nonzero(plane) or not plane.any():
            return ()
        left &= ~plane
        found.append((axis, index))
    return () if left.any() else tuple(sorted(found))


def _alone(mask: np.ndarray, voxels: np.ndarray) -> np.ndarray:
    """bool [n, axis] for voxels [n, 3]."""
    padded = np.pad(mask, 1)
    steps = np.eye(3, dtype=int)
    sides = [[padded[tuple((voxels + 1 + sign * step).T)] for sign in (-1, 1)] for step in steps]
    return np.stack([~(before | after) for before, after in sides], axis=1)
