"""Scans and segments on another grid of the same physical space."""

from __future__ import annotations

import itertools

import numpy as np
import SimpleITK as sitk

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume

Grid = tuple[tuple[int, int, int], np.ndarray]


def same_grid(a: Volume | Segmentation, b: Volume | Segmentation, tolerance_mm: float = 0.05) -> bool:
    """True when both have the same voxels, no corner further apart than the tolerance."""
    if a.shape != b.shape:
        return False
    apart = corners(a) - corners(b)
    return bool(np.linalg.norm(apart, axis=1).max() <= tolerance_mm)


def resample_like(volume: Volume, reference: Volume | Segmentation, nearest: bool) -> Volume:
    """A scan on the grid of another: nearest keeps the voxel type, linear gives float32.

    Outside the scan its smallest value is taken, or 0 for bool.
    """
    fill = 0.0 if volume.array.dtype == bool else float(volume.array.min())
    array = _resampled(volume.array, volume.ijk_to_ras, (reference.shape, reference.ijk_to_ras), nearest, fill)
    return Volume(array, reference.ijk_to_ras, volume.name)


def resample_segmentation(segmentation: Segmentation, reference: Volume) -> Segmentation:
    """Segments on the grid of a scan, by nearest voxel; the same masks when both grids agree.

    Raises ImageError when nothing that is painted lies inside the scan.
    """
    if same_grid(segmentation, reference):
        return Segmentation(segmentation.segments, reference.ijk_to_ras, segmentation.name)
    segments = tuple(s.with_mask(_moved(s.mask, segmentation.ijk_to_ras, reference)) for s in segmentation.segments)
    if any(s.mask.any() for s in segmentation.segments) and not any(s.mask.any() for s in segments):
        raise ImageError(
            f"What is painted in {segmentation.name} lies outside {reference.name}: they do not overlap in space, "
            "choose the scan that it was painted on."
        )
    return Segmentation(segments, reference.ijk_to_ras, segmentation.name)


def reformat(
    volume: Volume, plane_to_ras: np.ndarray, shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> Volume:
    """A scan cut into slices along any plane: float32, linear, the scan's smallest value outside it.

    `plane_to_ras` is 4x4 with unit axes (right, down, through the slices) and the centre of the first voxel in mm;
    shape and spacing (mm) are (z, y, x) of the new slices. `resample_like` takes results back to the scan's own grid.
    """
    grid = plane_to_ras @ np.diag([*spacing[::-1], 1.0])
    target = Volume(np.broadcast_to(np.uint8(0), shape), grid)
    return resample_like(volume, target, nearest=False)


def corners(image: Volume | Segmentation) -> np.ndarray:
    """Centres of the eight corner voxels [8, 3] in RAS (mm)."""
    z, y, x = image.shape
    corners = np.array([(i, j, k, 1) for i, j, k in itertools.product((0, x - 1), (0, y - 1), (0, z - 1))])
    return (corners @ image.ijk_to_ras.T)[:, :3]


def _resampled(array: np.ndarray, ijk_to_ras: np.ndarray, grid: Grid, nearest: bool, fill: float) -> np.ndarray:
    """From index to index by one affine matrix: ITK complains on the error stream when it inverts some directions."""
    shape, target = grid
    to_source = np.linalg.inv(ijk_to_ras) @ target
    transform = sitk.AffineTransform(to_source[:3, :3].ravel().tolist(), to_source[:3, 3].tolist())
    stored = array.view(np.uint8) if array.dtype == bool else array
    resampled = sitk.Resample(
        sitk.GetImageFromArray(stored),
        shape[::-1],
        transform,
        sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear,
        defaultPixelValue=fill,
        outputPixelType=sitk.sitkUnknown if nearest else sitk.sitkFloat32,
    )
    voxels = sitk.GetArrayFromImage(resampled)
    return voxels.view(bool) if nearest and array.dtype == bool else voxels


def _moved(mask: np.ndarray, ijk_to_ras: np.ndarray, reference: Volume) -> np.ndarray:
    moved = _resampled(mask, ijk_to_ras, (reference.shape, reference.ijk_to_ras), True, 0.0)
    return moved if moved.any() else _pushed(mask, ijk_to_ras, reference)


def _pushed(mask: np.ndarray, ijk_to_ras: np.ndarray, reference: Volume) -> np.ndarray:
    """A painted slice can fall between coarser slices: take it to the nearest voxels instead of asking each voxel."""
    ijk = np.argwhere(mask)[:, ::-1]
    to_reference = np.linalg.inv(reference.ijk_to_ras) @ ijk_to_ras
    zyx = np.rint(ijk @ to_reference[:3, :3].T + to_reference[:3, 3]).astype(int)[:, ::-1]
    inside = ((zyx >= 0) & (zyx < reference.shape)).all(axis=1)
    pushed = np.zeros(reference.shape, bool)
    pushed[tuple(zyx[inside].T)] = True
    return pushed
