"""Whether a scan or a painted map can be worked with at all."""

from __future__ import annotations

import numpy as np

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.geometry import is_orthonormal
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume


def check_grid(ijk_to_ras: np.ndarray, name: str) -> None:
    """Raise ImageError for a 4x4 IJK-to-RAS matrix that places nothing or has axes not at right angles."""
    spacing = np.linalg.norm(ijk_to_ras[:3, :3], axis=0)
    if not np.isfinite(ijk_to_ras).all() or not spacing.all():
        raise ImageError(f"{name} does not say how large its voxels are or where they lie: export the scan again.")
    if not is_orthonormal(ijk_to_ras[:3, :3] / spacing, tolerance=0.01):
        raise ImageError(f"{name} has slanted (sheared) axes: resample it to a regular grid first.")


def check_scan(volume: Volume) -> None:
    """Raise ImageError for a scan that is one slice thick, holds NaN or infinity, is constant or on no regular grid."""
    check_grid(volume.ijk_to_ras, volume.name)
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
