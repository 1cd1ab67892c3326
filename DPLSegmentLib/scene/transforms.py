"""Where the voxels of one node lie in the grid of another, whatever transforms lie between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from DPLSegmentLib.scene.oriented import Start, numpy_matrix

Points = Callable[[np.ndarray], np.ndarray]

_WHOLE_VOXEL = 0.02
_SAME_STEPS = 1e-4


@dataclass(frozen=True, eq=False)
class GridMap:
    """Takes voxel positions [n, 3] (i, j, k) of one grid to another (`forward`) and back; `matrix` (4x4) if linear."""

    forward: Points
    backward: Points
    matrix: np.ndarray | None = None

    @property
    def shift(self) -> Start | None:
        """Whole voxels (z, y, x) by which the grids differ; None when more than that lies between them."""
        if self.matrix is None or not np.allclose(self.matrix[:3, :3], np.eye(3), atol=_SAME_STEPS):
            return None
        move = self.matrix[2::-1, 3]
        if np.abs(move - np.rint(move)).max() > _WHOLE_VOXEL:
            return None
        k, j, i = np.rint(move).astype(int).tolist()
        return k, j, i


def grid_map(source: Any, source_ijk_to_ras: np.ndarray, target: Any, target_ijk_to_ras: np.ndarray) -> GridMap:
    """From the grid of one transformable node to that of another; the matrices are IJK to each node's own RAS."""
    first, last = source.GetParentTransformNode(), target.GetParentTransformNode()
    between = linear_between(first, last)
    if between is not None:
        matrix = np.linalg.inv(target_ijk_to_ras) @ between @ source_ijk_to_ras
        return GridMap(affine(matrix), affine(np.linalg.inv(matrix)), matrix)
    return GridMap(
        _bent(source_ijk_to_ras, first, last, target_ijk_to_ras),
        _bent(target_ijk_to_ras, last, first, source_ijk_to_ras),
    )


def linear_between(first: Any | None, last: Any | None) -> np.ndarray | None:
    """4x4 from below one transform node to below another (None is world); None when it is not linear."""
    if first == last:
        return np.eye(4)
    if not _is_linear(first, last):
        return None
    matrix = vtk.vtkMatrix4x4()
    slicer.vtkMRMLTransformNode.GetMatrixTransformBetweenNodes(first, last, matrix)
    return numpy_matrix(matrix)


def to_world(node: Any) -> Points:
    """Takes points [n, 3] in a transformable node's own RAS to world RAS."""
    parent = node.GetParentTransformNode()
    matrix = linear_between(parent, None)
    return affine(matrix) if matrix is not None else _general(parent, None)


def affine(matrix: np.ndarray) -> Points:
    """A 4x4 matrix as a function of points [n, 3]."""
    return lambda points: points @ matrix[:3, :3].T + matrix[:3, 3]


def _bent(ijk_to_ras: np.ndarray, first: Any | None, last: Any | None, target_ijk_to_ras: np.ndarray) -> Points:
    start, end = affine(ijk_to_ras), affine(np.linalg.inv(target_ijk_to_ras))
    through = _general(first, last)
    return lambda points: end(through(start(points)))


def _is_linear(first: Any | None, last: Any | None) -> bool:
    """Asked first: Slicer fills its error log when it is asked for the matrix of a transform that has none."""
    if first is None:
        return bool(last.IsTransformToWorldLinear())
    return bool(first.IsTransformToNodeLinear(last))


def _general(first: Any | None, last: Any | None) -> Points:
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(first, last, transform)
    return lambda points: _transformed(transform, points)


def _transformed(transform: Any, points: np.ndarray) -> np.ndarray:
    given, moved = vtk.vtkPoints(), vtk.vtkPoints()
    given.SetDataTypeToDouble()
    moved.SetDataTypeToDouble()
    given.SetData(numpy_to_vtk(np.ascontiguousarray(points, float)))
    transform.TransformPoints(given, moved)
    return vtk_to_numpy(moved.GetData()).copy()
