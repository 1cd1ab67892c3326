"""From where slices lie to one regular grid, or a sentence that says why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DPLSegmentLib.images.errors import ImageError

_GAP_TOLERANCE = 0.1
_TILT_DEGREES = 0.5
_TURN = 1e-3
_LPS_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Plane:
    """One slice: `position` [3] of its first voxel and `axes` [2, 3] along row and column (LPS, mm), voxel sides
    (along row, along column) in mm, size (columns, rows), frame of reference and what it is called."""

    position: np.ndarray
    axes: np.ndarray
    spacing: tuple[float, float]
    size: tuple[int, int]
    frame_of_reference: str
    name: str


@dataclass(frozen=True, eq=False)
class Grid:
    """Which plane comes first, second, ... along the normal, and the IJK-to-RAS matrix of the slices in that order."""

    order: tuple[int, ...]
    ijk_to_ras: np.ndarray


def grid_of(planes: Sequence[Plane], where: str) -> Grid:
    """The grid of the slices of a scan called `where`.

    Raises ImageError when slices are missing, repeated, turned or of different sizes, when the gantry was tilted or
    positions are given in several frames of reference.
    """
    _check_alike(planes, where)
    normal = np.cross(*planes[0].axes)
    heights = np.array([plane.position @ normal for plane in planes])
    order = np.argsort(heights, kind="stable")
    gap = 1.0
    if len(planes) > 1:
        _check_places([planes[index] for index in order], heights[order], where)
        _check_tilt(planes[order[-1]].position - planes[order[0]].position, float(np.ptp(heights)), where)
        gap = float(np.ptp(heights)) / (len(planes) - 1)
    return Grid(tuple(int(index) for index in order), _matrix(planes[order[0]], normal, gap))


def _matrix(first: Plane, normal: np.ndarray, gap: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([*first.axes, normal], 1) * (*first.spacing, gap)
    matrix[:3, 3] = first.position
    return _LPS_RAS @ matrix


def _check_alike(planes: Sequence[Plane], where: str) -> None:
    first = planes[0]
    if len({plane.frame_of_reference for plane in planes}) > 1:
        raise ImageError(
            f"{where} has slices in several frames of reference, which do not fit together: export each part alone."
        )
    if any(np.abs(plane.axes - first.axes).max() > _TURN for plane in planes):
        raise ImageError(f"{where} has slices in several directions (a localizer?): export each direction alone.")
    if len({plane.size for plane in planes}) > 1 or not np.allclose([p.spacing for p in planes], first.spacing, 1e-3):
        raise ImageError(f"{where} has slices of different sizes: export each of its scans as its own series.")


def _check_places(planes: Sequence[Plane], heights: np.ndarray, where: str) -> None:
    gaps = np.diff(heights)
    usual = float(np.median(gaps))
    if gaps.min() < 0.01:
        one, other = (planes[int(gaps.argmin()) + step].name for step in (0, 1))
        raise ImageError(
            f"{where} has several slices at one place: export each of its scans as its own series. "
            f"Two of them are {one} and {other}."
        )
    if np.abs(gaps - usual).max() > _GAP_TOLERANCE * usual:
        raise ImageError(
            f"{where} has slices {gaps.min():.2f} to {gaps.max():.2f} mm apart: some are missing or "
            "unevenly spaced, export the complete series again."
        )


def _check_tilt(step: np.ndarray, height: float, where: str) -> None:
    tilt = np.degrees(np.arccos(np.clip(height / np.linalg.norm(step), -1.0, 1.0)))
    if tilt > _TILT_DEGREES:
        raise ImageError(f"{where} was taken with a gantry tilt of {tilt:.1f} degrees: resample it to a regular grid.")
