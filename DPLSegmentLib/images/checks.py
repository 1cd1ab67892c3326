"""Whether a scan or a painted map can be worked with at all."""

from __future__ import annotations

import numpy as np

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume


def check_scan(volume: Volume) -> None:
    """Raise ImageError for a scan that is one slice thick, holds NaN or infinity, or is the same everywhere."""
    if min(volume.shape) < 2:
        raise ImageError(f"{volume.name} is a single slice: at least two are needed, choose the whole series.")
    if not np.isfinite(volume.array).all():
        raise ImageError(f"{volume.name} holds voxels that are not numbers (NaN or infinity): export the scan again.")
    if volume.array.min() == volume.array.max():
        raise ImageError(f"{volume.name} has the same value in every voxel and shows nothing: choose another scan.")


def check_painted(segmentation: Segmentation) -> None:
    """Raise ImageError when no voxel of any segment is painted."""
    if not any(segment.mask.any() for segment in segmentation.segments):
        raise ImageError(
            f"Nothing is painted in {segmentation.name}: paint a structure on one slice and save it again."
        )
