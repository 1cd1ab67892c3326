"""Structures nobody had to draw: watershed regions of a scan at several depths.

Superpixel episodes go back to Ouyang et al. 2020; the watershed hierarchy and the preference for regions that survive
from one depth to the next are ours.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

DEPTHS = (0.01, 0.02, 0.03)
_SMOOTHING = 4
_TIME_STEP = 0.04
_LEAST_VOXELS = 150
_MOST_SHARE = 0.12
_AIR = 0.04
_STABLE = 0.7


def watershed_hierarchy(image: np.ndarray, spacing: tuple[float, float, float]) -> list[np.ndarray]:
    """Region numbers [z, y, x] (int32, from 1) at each of `DEPTHS`, from fine to coarse; `image` is in 0..1."""
    scan = sitk.GetImageFromArray(image.astype(np.float32))
    scan.SetSpacing(tuple(float(size) for size in spacing[::-1]))
    smooth = sitk.CurvatureAnisotropicDiffusion(scan, _TIME_STEP, 2.0, 1, _SMOOTHING)
    gradient = sitk.GradientMagnitude(smooth)
    return [_watershed(gradient, depth) for depth in DEPTHS]


def _watershed(gradient: sitk.Image, depth: float) -> np.ndarray:
    regions = sitk.MorphologicalWatershed(gradient, depth, False, False)
    return sitk.GetArrayFromImage(regions).astype(np.int32)


def useful_regions(image: np.ndarray, regions: np.ndarray, coarser: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Renumbered regions (uint16, 0 elsewhere) and their sampling weights [n + 1].

    Air, specks and whole bodies are dropped; a region that hardly grows on the `coarser` map weighs four times as much.
    """
    sizes = np.bincount(regions.ravel())
    means = np.bincount(regions.ravel(), image.ravel()) / np.maximum(sizes, 1)
    good = (sizes >= _LEAST_VOXELS) & (sizes <= _MOST_SHARE * regions.size) & (means > _AIR)
    weights = np.sqrt(sizes) * (1 + 3 * _survives(regions, coarser, sizes)) * good
    kept = np.argsort(-weights)[: min(int(good.sum()), np.iinfo(np.uint16).max - 1)]
    numbers = np.zeros(len(sizes), np.uint16)
    numbers[kept] = np.arange(1, len(kept) + 1)
    return numbers[regions], np.concatenate([[0.0], weights[kept]])


def _survives(regions: np.ndarray, coarser: np.ndarray | None, sizes: np.ndarray) -> np.ndarray:
    if coarser is None:
        return np.zeros(len(sizes), bool)
    parent = np.zeros(len(sizes), np.int64)
    parent[regions.ravel()] = coarser.ravel()
    return sizes > _STABLE * np.bincount(coarser.ravel())[parent]
