"""Slices painted in a reformatted plane, across none of the array's axes."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from DPLSegmentLib.images.axes import painted_indices
from DPLSegmentLib.images.resample import corners, reformat, resample_like
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume

_LEAST_VOXELS = 25
_LEAST_SLICES = 3
_THIN = 0.45
_FLAT = 3.0
_LONGEST = 320


def slanted_normal(mask: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray | None:
    """Unit normal [3] (RAS) of the plane in which a mask [z, y, x] was painted; None when it lies along the array.

    It is slanted when it is one voxel thin in some direction, but reaches over three slices along every axis. Where
    several parallel slices were painted the largest piece decides.
    """
    if min(len(painted_indices(mask, axis)) for axis in range(3)) < _LEAST_SLICES:
        return None
    pieces = (found(mask) for found in (np.argwhere, _largest_piece))
    normals = (_thin_normal(voxels, ijk_to_ras) for voxels in pieces)
    return next((normal for normal in normals if normal is not None), None)


def _thin_normal(voxels: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray | None:
    if len(voxels) < _LEAST_VOXELS or (np.ptp(voxels, axis=0) < _LEAST_SLICES - 1).any():
        return None
    points = voxels[:, ::-1] @ ijk_to_ras[:3, :3].T
    variances, directions = np.linalg.eigh(np.cov(points.T))
    normal = directions[:, 0]
    voxel = float(np.abs(normal @ ijk_to_ras[:3, :3]).sum())
    thickness, width = np.sqrt(np.maximum(variances[:2], 0))
    return normal if thickness < _THIN * voxel and width > _FLAT * thickness else None


def straightened(volume: Volume, painted: Segmentation, normal: np.ndarray) -> tuple[Volume, Segmentation]:
    """The scan cut parallel to the painted plane, slices along axis 0, and each painted slab as a single slice of it.

    The long side of a slice has at most 320 pixels.
    """
    frame = _frame(volume, normal)
    points = _points(np.logical_or.reduce([s.mask for s in painted.segments]), painted.ijk_to_ras)
    frame[:3, 3] = frame[:3, :3] @ _start(volume, frame, points)
    gap = _gap(volume, frame)
    low, high = _bounds(volume, frame)
    pixel = max(min(volume.spacing), float((high - low)[:2].max()) / _LONGEST)
    steps = np.array([pixel, pixel, gap])
    first, last = np.floor(low / steps), np.ceil(high / steps)
    frame[:3, 3] += frame[:3, :3] @ (first * steps)
    x, y, z = (int(n) + 1 for n in last - first)
    scan = reformat(volume, frame, (z, y, x), (gap, pixel, pixel))
    scan = Volume(scan.array, scan.ijk_to_ras, volume.name)
    segments = tuple(s.with_mask(_flattened(s.mask, painted.ijk_to_ras, scan)) for s in painted.segments)
    return scan, Segmentation(segments, scan.ijk_to_ras, painted.name)


def _largest_piece(mask: np.ndarray) -> np.ndarray:
    """Voxels (z, y, x) of the largest piece, touching corners included."""
    found = ndimage.find_objects(mask.astype(np.uint8))
    if not found or found[0] is None:
        return np.zeros((0, 3), int)
    pieces, count = ndimage.label(mask[found[0]], np.ones((3, 3, 3)))
    largest = 1 + int(np.argmax(np.bincount(pieces.ravel())[1:])) if count > 1 else 1
    return np.argwhere(pieces == largest)


def _frame(volume: Volume, normal: np.ndarray) -> np.ndarray:
    """Unit axes right, down and through in RAS, as near to the array's own as they can be."""
    own = volume.ijk_to_ras[:3, :3] / np.linalg.norm(volume.ijk_to_ras[:3, :3], axis=0)
    nearest = int(np.argmax(np.abs(normal @ own)))
    through = normal * np.sign(normal @ own[:, nearest])
    beside = own[:, 1 if nearest == 0 else 0]
    right = beside - through * (beside @ through)
    right /= np.linalg.norm(right)
    frame = np.eye(4)
    frame[:3, :3] = np.stack([right, np.cross(through, right), through], 1)
    return frame


def _points(mask: np.ndarray, ijk_to_ras: np.ndarray) -> np.ndarray:
    return np.argwhere(mask)[:, ::-1] @ ijk_to_ras[:3, :3].T + ijk_to_ras[:3, 3]


def _start(volume: Volume, frame: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Where the new grid is pinned, in the frame's axes: on the scan's first voxel, and on the painted plane."""
    start = frame[:3, :3].T @ volume.ijk_to_ras[:3, 3]
    through = points @ frame[:3, 2]
    start[2] = float(np.median(through))
    return start


def _gap(volume: Volume, frame: np.ndarray) -> float:
    """Distance of the scan's voxels (mm) across the plane."""
    own = volume.ijk_to_ras[:3, :3]
    spacing = np.linalg.norm(own, axis=0)
    share = (frame[:3, 2] @ (own / spacing)) / spacing
    return max(min(volume.spacing), 1 / float(np.linalg.norm(share)))


def _bounds(volume: Volume, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    along = (corners(volume) - frame[:3, 3]) @ frame[:3, :3]
    return along.min(0), along.max(0)


def _flattened(mask: np.ndarray, ijk_to_ras: np.ndarray, scan: Volume) -> np.ndarray:
    """Each run of neighbouring painted slices becomes the one in its middle."""
    flat = np.zeros(scan.shape, bool)
    points = _points(mask, ijk_to_ras)
    if not len(points):
        return flat
    inverse = np.linalg.inv(scan.ijk_to_ras)
    heights = np.rint(points @ inverse[2, :3] + inverse[2, 3]).astype(int)
    moved = resample_like(Volume(mask, ijk_to_ras), scan, nearest=True).array
    for run in _runs(np.bincount(heights.clip(0, len(flat) - 1), minlength=len(flat))):
        inside = heights[(heights >= run.start) & (heights < run.stop)]
        flat[round(float(inside.mean()))] = moved[run].any(0)
    return flat


def _runs(counts: np.ndarray) -> list[slice]:
    pieces, _ = ndimage.label(counts > 0)
    return [found[0] for found in ndimage.find_objects(pieces)]
