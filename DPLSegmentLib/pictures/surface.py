"""Smooth, shaded surfaces of masks, seen from the front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from scipy.ndimage import gaussian_filter, zoom
from skimage.measure import find_contours, marching_cubes

from DPLSegmentLib.pictures.palette import PAINTED, Color
from DPLSegmentLib.pictures.view import Structure, View

_FINEST_CUBES = 110
_PADDING = 3
_FACE_WIDTH, _RING_WIDTH = 0.4, 2.0
_RING_LIFT = 4.0  # mm towards the viewer, so that a ring lies on its surface and not half inside
_AZIMUTH, _ELEVATION = np.radians(-24.0), np.radians(14.0)
_LAMP = np.array([-0.72, -0.52, -0.46])  # towards the lamp, as (away from the viewer, down, right)


@dataclass(frozen=True, eq=False)
class _Faces:
    """Triangles [n, 3 corners, 3] in mm with an RGB colour [n, 3] and a line width [n] each."""

    corners: np.ndarray
    colors: np.ndarray
    widths: np.ndarray


def draw_surfaces(axes: Axes, view: View) -> None:
    """Draw the structures as solid surfaces seen from the front, with a ring where a slice was painted.

    The triangles of all structures are painted from the farthest to the nearest.
    """
    spacing = np.asarray(view.orientation.spacing)
    cube = _cube_size([structure.mask for structure in view.structures], spacing)
    parts = [_surface(structure, spacing, cube) for structure in view.structures]
    parts += [_rings(structure, view.axis, spacing) for structure in view.structures]
    seen = np.concatenate([part.corners for part in parts]) @ _camera().T
    colors, widths = (np.concatenate([getattr(part, field) for part in parts]) for field in ("colors", "widths"))
    order = np.argsort(-seen[:, :, 0].mean(axis=1) + _RING_LIFT * (widths > _FACE_WIDTH))
    flat = seen[order][:, :, [2, 1]]
    drawn = PolyCollection(flat, facecolors=colors[order], edgecolors=colors[order], linewidths=widths[order])
    axes.add_collection(drawn)
    _frame(axes, flat)


def _surface(structure: Structure, spacing: np.ndarray, cube: float) -> _Faces:
    corners, normals = _mesh(structure.mask, spacing, cube)
    return _Faces(corners, _shade(normals, structure.color), np.full(len(corners), _FACE_WIDTH))


def _rings(structure: Structure, axis: int, spacing: np.ndarray) -> _Faces:
    """The outlines of the painted slices as flat triangles."""
    lines = [_ring(structure.painted, axis, index, spacing) for index in structure.painted_slices]
    corners = np.concatenate([np.zeros((0, 3, 3)), *lines])
    return _Faces(corners, np.tile(to_rgb(PAINTED), (len(corners), 1)), np.full(len(corners), _RING_WIDTH))


def _ring(painted: np.ndarray | None, axis: int, index: int, spacing: np.ndarray) -> np.ndarray:
    flat = np.pad(np.take(painted, index, axis), 1).astype(np.float32)
    pieces = []
    for line in find_contours(gaussian_filter(flat, 0.6), 0.5):
        points = np.insert(line - 1.0 + 0.5, axis, index + 0.5, axis=1) * spacing
        pieces.append(np.stack([points[:-1], points[1:], points[1:]], axis=1))
    return np.concatenate([np.zeros((0, 3, 3)), *pieces])


def _cube_size(masks: Sequence[np.ndarray], spacing: np.ndarray) -> float:
    """Edge in mm of the cubes that are marched through, so that large scans stay quick to draw."""
    longest = max(length * step for mask in masks for length, step in zip(_crop(mask)[1].shape, spacing, strict=True))
    return max(float(min(spacing)), longest / _FINEST_CUBES)


def _mesh(mask: np.ndarray, spacing: np.ndarray, cube: float) -> tuple[np.ndarray, np.ndarray]:
    """Triangles [n, 3 corners, 3] in mm and their outward unit normals [n, 3]; none for an empty mask."""
    if not mask.any():
        return np.zeros((0, 3, 3)), np.zeros((0, 3))
    origin, cut = _crop(mask)
    field = gaussian_filter(np.pad(cut, _PADDING).astype(np.float32), np.maximum(0.8, 0.6 * cube / spacing))
    field = zoom(field, spacing / cube, order=1, grid_mode=True, mode="nearest")
    points, faces, normals, _ = marching_cubes(field, min(0.5, 0.5 * float(field.max())), spacing=(cube,) * 3)
    points += (origin - _PADDING) * spacing + cube / 2
    return points[faces], _unit(normals[faces].mean(axis=1))


def _crop(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first voxel [3] of the box around a mask, and the mask inside it; empty stays empty."""
    inside = np.argwhere(mask)
    if not len(inside):
        return np.zeros(3, int), mask[:1, :1, :1]
    low, high = inside.min(axis=0), inside.max(axis=0) + 1
    return low, mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]


def _camera() -> np.ndarray:
    """Rows: away from the viewer, down and right on the screen, as vectors along (I, P, L)."""
    down, away, right = np.eye(3)
    away, right = _turned(away, right, _AZIMUTH)
    away, down = _turned(away, down, _ELEVATION)
    return np.stack([away, down, right])


def _turned(one: np.ndarray, other: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    return one * np.cos(angle) + other * np.sin(angle), other * np.cos(angle) - one * np.sin(angle)


def _shade(normals: np.ndarray, color: Color) -> np.ndarray:
    """RGB [n, 3] of faces under one lamp, with a soft highlight."""
    facing = np.clip(normals @ _camera().T @ _unit(_LAMP), 0.0, 1.0)[:, None]
    return np.clip(np.asarray(color) * (0.30 + 0.70 * facing) + 0.20 * facing**30, 0.0, 1.0)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _frame(axes: Axes, flat: np.ndarray) -> None:
    axes.set_axis_off()
    axes.set_aspect("equal", anchor="N")
    if flat.size:
        low, high = flat.min(axis=(0, 1)), flat.max(axis=(0, 1))
        margin = 0.02 * float((high - low).max())
        axes.set_xlim(low[0] - margin, high[0] + margin)
        axes.set_ylim(high[1] + margin, low[1] - margin)
