"""Supports painted in a reformatted plane: their scan is cut along that plane, and the result is brought back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from DPLSegmentLib.images.resample import resample_like
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.slanted import slanted_normal, straightened
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Propagation, Support


def turned(support: Support) -> Support:
    """The support itself when it was painted along its own axes, else with its painted plane along axis 0."""
    normal = slanted_normal(support.region, support.painted.ijk_to_ras)
    if normal is None:
        return support
    return Support(*straightened(support.volume, support.painted, normal))


def turned_back(result: Propagation, support: Support) -> Propagation:
    """A result on a turned support's grid, on the grid of the support that was painted; what was painted stays.

    Slices no longer belong to an axis of the scan, so that none is named to be painted next.
    """
    scan = support.volume
    painted = {segment.name: segment.mask for segment in support.painted.segments}
    segments = []
    for segment in result.segmentation.segments:
        grid = Volume(segment.mask, result.segmentation.ijk_to_ras)
        mask = resample_like(grid, scan, nearest=True).array
        segments.append(segment.with_mask(mask | painted.get(segment.name, np.False_)))
    confidence = resample_like(result.confidence, scan, nearest=False)
    structures = tuple(
        replace(report, next_slice=None, millilitres=float(segment.mask.sum()) * scan.voxel_millilitres)
        for report, segment in zip(result.structures, segments, strict=True)
    )
    segmentation = Segmentation(tuple(segments), scan.ijk_to_ras, result.segmentation.name)
    return replace(result, segmentation=segmentation, confidence=confidence, structures=structures, next_slice=None)
