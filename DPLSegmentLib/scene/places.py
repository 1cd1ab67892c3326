"""Slices of a scan's array and where they lie in world, as slice views show them."""

from __future__ import annotations

from typing import Any

import numpy as np

from DPLSegmentLib.images.axes import axis_name
from DPLSegmentLib.scene.oriented import numpy_matrix
from DPLSegmentLib.scene.scans import ijk_to_ras, shape_of
from DPLSegmentLib.scene.transforms import affine, linear_between, to_world

_COORDINATE = {"Sagittal": 0, "Coronal": 1, "Axial": 2}
_PARALLEL = 0.995


def view_of(scan_node: Any, axis: int) -> str:
    """The view that shows slices along an array axis: "Axial", "Sagittal" or "Coronal", the nearest one."""
    return axis_name(_world_matrix(scan_node), axis).capitalize()


def slice_position(scan_node: Any, axis: int, index: int) -> float:
    """S, A or R (mm, world) of the middle of a slice of the scan's array, for axial, coronal and sagittal views."""
    return float(ijk_to_world(scan_node, _middle(scan_node, axis, index))[_COORDINATE[view_of(scan_node, axis)]])


def slice_at(scan_node: Any, axis: int, position_mm: float) -> int:
    """The slice of the scan's array along an axis that is nearest to a position as of `slice_position`."""
    last = shape_of(scan_node)[axis] - 1
    first_mm, last_mm = (slice_position(scan_node, axis, index) for index in (0, last))
    share = (position_mm - first_mm) / (last_mm - first_mm) if last and last_mm != first_mm else 0.0
    return int(np.clip(round(share * last), 0, last))


def slice_in_view(slice_node: Any, scan_node: Any) -> tuple[int, int] | None:
    """Array axis and index of the slice that a slice view shows; None when it shows a reformatted plane or none."""
    view = numpy_matrix(slice_node.GetSliceToRAS())
    grid = _world_matrix(scan_node)
    normals = np.linalg.inv(grid)[2::-1, :3]
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    along = np.abs(normals @ view[:3, 2]) / np.linalg.norm(view[:3, 2])
    axis = int(np.argmax(along))
    index = round(float(affine(np.linalg.inv(grid))(view[None, :3, 3])[0, 2 - axis]))
    return (axis, index) if along[axis] > _PARALLEL and 0 <= index < shape_of(scan_node)[axis] else None


def ijk_to_world(scan_node: Any, ijk: tuple[float, float, float]) -> np.ndarray:
    """World RAS [3] (mm) of a voxel (i, j, k)."""
    own = affine(ijk_to_ras(scan_node))(np.array([ijk], float))
    return to_world(scan_node)(own)[0]


def _middle(scan_node: Any, axis: int, index: int) -> tuple[float, float, float]:
    zyx = [(size - 1) / 2 for size in shape_of(scan_node)]
    zyx[axis] = index
    return zyx[2], zyx[1], zyx[0]


def _world_matrix(scan_node: Any) -> np.ndarray:
    """IJK to world; below a non-linear transform IJK to the node's own RAS, which names the views well enough."""
    parent = linear_between(scan_node.GetParentTransformNode(), None)
    return ijk_to_ras(scan_node) if parent is None else parent @ ijk_to_ras(scan_node)
