"""Painted voxels taken to another grid, none of them lost on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DPLSegmentLib.scene.oriented import Start
from DPLSegmentLib.scene.transforms import GridMap

Shape = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Crop:
    """A box of bool voxels [z, y, x] of a larger grid, and the index (z, y, x) of its first one in that grid."""

    mask: np.ndarray
    start: Start

    @property
    def stop(self) -> Start:
        """Index (z, y, x) after its last voxel."""
        k, j, i = (first + size for first, size in zip(self.start, self.mask.shape, strict=True))
        return k, j, i

    def within(self, shape: Shape) -> Crop | None:
        """The part inside a grid of this shape; None when nothing painted lies there."""
        low = [max(0, first) for first in self.start]
        high = [min(size, last) for size, last in zip(shape, self.stop, strict=True)]
        box = tuple(slice(a - first, max(a, b) - first) for a, b, first in zip(low, high, self.start, strict=True))
        inside = self.mask[box]
        return Crop(inside, (low[0], low[1], low[2])) if inside.any() else None

    def full(self, shape: Shape) -> np.ndarray:
        """bool [z, y, x] of the whole grid, which the crop must lie in."""
        mask = np.zeros(shape, bool)
        mask[tuple(slice(a, b) for a, b in zip(self.start, self.stop, strict=True))] = self.mask
        return mask


def carried(crop: Crop, grid_map: GridMap, shape: Shape) -> Crop | None:
    """A crop on another grid of this shape, by nearest voxel; None when all of it lies outside.

    Each voxel asks what is painted where it lies. What no voxel has asked for goes to the nearest ones unless something
    is found beside them, so that a slice painted between two coarser ones is not lost and no outline grows.
    """
    shift = grid_map.shift
    if shift is not None:
        k, j, i = (first + step for first, step in zip(crop.start, shift, strict=True))
        return Crop(crop.mask, (k, j, i)).within(shape)
    painted = np.argwhere(crop.mask)
    pushed = np.rint(grid_map.forward(_ijk(painted + crop.start)))[:, ::-1].astype(int)
    low = np.maximum(pushed.min(axis=0) - 1, 0)
    high = np.minimum(pushed.max(axis=0) + 2, shape)
    if (high <= low).any():
        return None
    found, lost = _asked(crop, grid_map, low, high)
    rest = pushed[lost[tuple(painted.T)]]
    rest = rest[((rest >= low) & (rest < high)).all(axis=1)] - low
    rest = rest[~_grown(found)[tuple(rest.T)]]
    found[tuple(rest.T)] = True
    return Crop(found, (int(low[0]), int(low[1]), int(low[2]))).within(shape)


def _asked(crop: Crop, grid_map: GridMap, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the voxels of a box find painted [box], and the painted voxels that none of them found [crop]."""
    grid = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij"), axis=-1)
    source = np.rint(grid_map.backward(_ijk(grid.reshape(-1, 3))))[:, ::-1].astype(int) - crop.start
    inside = ((source >= 0) & (source < crop.mask.shape)).all(axis=1)
    where = tuple(source[inside].T)
    found = np.zeros(len(source), bool)
    found[inside] = crop.mask[where]
    lost = crop.mask.copy()
    lost[where] = False
    return found.reshape(grid.shape[:3]), lost


def _grown(mask: np.ndarray) -> np.ndarray:
    """A mask with all neighbours of its voxels, those at corners too."""
    grown = np.pad(mask, 1)
    for axis in range(3):
        grown = grown | np.roll(grown, 1, axis) | np.roll(grown, -1, axis)
    return grown[1:-1, 1:-1, 1:-1]


def _ijk(zyx: np.ndarray) -> np.ndarray:
    return zyx[:, ::-1].astype(float)
