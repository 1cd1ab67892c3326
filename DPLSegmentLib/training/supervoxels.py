"""Structures nobody had to draw: watershed regions of a scan at several scales.

Superpixel episodes go back to Ouyang et al. 2020; the watershed scales, the root of the grey values (dark organs keep
their borders) and the preference for regions with smooth shapes that several scales agree on are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from DPLSegmentLib.training.chains import chained

SCALES = ((0.5, 0.006), (0.5, 0.012), (1.0, 0.01), (1.0, 0.02))
"""Exponent of the grey values and depth of the watershed, for each map."""

_MOST_APART_MM = 3.0
_SMOOTHING = 4
_TIME_STEP = 0.04
_LEAST_VOXELS = 300
_MOST_SHARE = 0.12
_AIR = 0.04
_LEAST_INTERIOR = 0.25


def watershed_maps(image: np.ndarray, spacing: tuple[float, float, float]) -> list[np.ndarray]:
    """Region numbers [z, y, x] (int32, from 1) at each of `SCALES`; `image` is in 0..1, spacing in mm (z, y, x).

    Slices count as at most 3 mm apart: a difference across thicker ones would be so small a gradient that regions run
    from an organ into what lies above it. Where they do so nevertheless they are split into chains of cross-sections;
    what remains of the bridges between those is 0.
    """
    near = (min(spacing[0], _MOST_APART_MM), *spacing[1:])
    gradients = {exponent: _gradient(image**exponent, near) for exponent in dict(SCALES)}
    return [chained(_watershed(gradients[exponent], depth), spacing[1:]) for exponent, depth in SCALES]


def _gradient(image: np.ndarray, spacing: tuple[float, float, float]) -> sitk.Image:
    scan = sitk.GetImageFromArray(image.astype(np.float32))
    scan.SetSpacing(tuple(float(size) for size in spacing[::-1]))
    smooth = sitk.CurvatureAnisotropicDiffusion(scan, _TIME_STEP, 2.0, 1, _SMOOTHING)
    return sitk.GradientMagnitude(smooth)


def _watershed(gradient: sitk.Image, depth: float) -> np.ndarray:
    regions = sitk.MorphologicalWatershed(gradient, depth, False, False)
    return sitk.GetArrayFromImage(regions).astype(np.int32)


def useful_regions(image: np.ndarray, regions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Renumbered regions (uint16, 0 elsewhere) and their sampling weights [n + 1].

    Air, specks, ragged regions and whole bodies are dropped; large smooth regions weigh most.
    """
    sizes = np.bincount(regions.ravel())
    voxels = np.maximum(sizes, 1)
    means = np.bincount(regions.ravel(), image.ravel()) / voxels
    interior = np.bincount(regions[_interior(regions)], minlength=len(sizes)) / voxels
    good = (sizes >= _LEAST_VOXELS) & (sizes <= _MOST_SHARE * regions.size) & (means > _AIR)
    weights = sizes**0.75 * interior**3 * (good & (interior >= _LEAST_INTERIOR))
    kept = np.argsort(-weights)[: min(int((weights > 0).sum()), np.iinfo(np.uint16).max - 1)]
    numbers = np.zeros(len(sizes), np.uint16)
    numbers[kept] = np.arange(1, len(kept) + 1)
    return numbers[regions], np.concatenate([[0.0], weights[kept]])


def stabilities(maps: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Of each region of each map [n + 1], the best Dice with a region of another map, 0..1.

    What is found again at another scale is more likely a thing of its own than what is found once.
    """
    best = [np.zeros(int(regions.max(initial=0)) + 1) for regions in maps]
    for one, other in combinations(range(len(maps)), 2):
        dice = _overlaps(maps[one], maps[other])
        best[one] = np.maximum(best[one], dice.max(1, initial=0))
        best[other] = np.maximum(best[other], dice.max(0, initial=0))
    return best


def _overlaps(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Dice of each region of one map with each of the other; 0 for what is outside of all regions."""
    count, width = (int(regions.max(initial=0)) + 1 for regions in (one, other))
    shared = np.bincount(one.ravel().astype(np.int64) * width + other.ravel(), minlength=count * width)
    shared = shared.reshape(count, width)
    dice = 2 * shared / np.maximum(shared.sum(1, keepdims=True) + shared.sum(0, keepdims=True), 1)
    dice[0], dice[:, 0] = 0, 0
    return dice


def _interior(regions: np.ndarray) -> np.ndarray:
    """Voxels whose eight neighbours in the slice belong to the same region."""
    size = (1, 3, 3)
    return ndimage.minimum_filter(regions, size) == ndimage.maximum_filter(regions, size)
