"""Regions of a watershed split where one cross-section does not lead to the next (ours).

A watershed finds its way from a kidney into a spleen through a few voxels. Cross-sections that touch by a narrow bridge
are told apart, and those of consecutive slices belong together only where they cover each other well.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

_BRIDGE_MM = 6.0
_LEAST_DICE = 0.6


def chained(regions: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """Region numbers [z, y, x] (int32, 0 for none), each a chain of cross-sections; `spacing` in mm in plane (y, x).

    Bridges up to 6 mm wide are cut, and consecutive cross-sections joined from a Dice of 0.6.
    """
    sections = np.zeros(regions.shape, np.int64)
    last = 0
    for index, plane in enumerate(regions):
        found = _sections(plane, spacing)
        sections[index] = np.where(found > 0, found + last, 0)
        last += int(found.max(initial=0))
    return _joined(sections, regions, last + 1)


def _sections(plane: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """Cross-sections of all regions of a slice [y, x], numbered from 1."""
    cores, count = ndimage.label(_depth(plane, spacing) > _BRIDGE_MM / 2)
    away, nearest = ndimage.distance_transform_edt(cores == 0, spacing, return_indices=True)
    nearest = tuple(nearest)
    same = (plane > 0) & (plane[nearest] == plane) & (away <= _BRIDGE_MM)
    whole = np.where(same, cores[nearest], 0)
    thin = (plane > 0) & ~np.isin(plane, plane[cores > 0])
    return np.where(thin, count + plane, whole)


def _depth(plane: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """Distance in mm of each pixel inside of a region to the next pixel that is at a border."""
    cross = ndimage.generate_binary_structure(2, 1)
    even = ndimage.minimum_filter(plane, footprint=cross) == ndimage.maximum_filter(plane, footprint=cross)
    return ndimage.distance_transform_edt(np.pad(even & (plane > 0), 1), spacing)[1:-1, 1:-1]


def _joined(sections: np.ndarray, regions: np.ndarray, count: int) -> np.ndarray:
    areas = np.bincount(sections.ravel(), minlength=count)
    lower, upper = sections[:-1].ravel(), sections[1:].ravel()
    both = (lower > 0) & (regions[:-1] == regions[1:]).ravel() & (upper > 0)
    pairs, shared = np.unique(lower[both] * count + upper[both], return_counts=True)
    one, other = pairs // count, pairs % count
    alike = 2 * shared >= _LEAST_DICE * (areas[one] + areas[other])
    links = coo_array((np.ones(int(alike.sum())), (one[alike], other[alike])), shape=(count, count))
    chains = connected_components(links, directed=False)[1] + 1
    return np.where(sections > 0, chains[sections], 0).astype(np.int32)
