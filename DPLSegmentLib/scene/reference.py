"""The grid that a segmentation says its segments are painted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk

from DPLSegmentLib.scene.carrying import Crop, Shape, carried
from DPLSegmentLib.scene.oriented import Start, numpy_matrix, oriented
from DPLSegmentLib.scene.transforms import GridMap, grid_map

_PARAMETER = "Reference image geometry"


@dataclass(frozen=True, eq=False)
class ReferenceGrid:
    """A grid of `shape` (z, y, x) whose first voxel has index `start`; `ijk_to_ras` counts from index 0."""

    node: Any
    ijk_to_ras: np.ndarray
    start: Start
    shape: Shape

    def agrees_with(self, source: Any, ijk_to_ras: np.ndarray, shape: Shape) -> bool:
        """True when a node's grid has the same voxels at the same places in world."""
        return self._from(source, ijk_to_ras).shift == (0, 0, 0) and self.shape == shape

    def labelmap(self, crop: Crop, source: Any, ijk_to_ras: np.ndarray) -> Any | None:
        """A crop of a node's grid as vtkOrientedImageData on this grid; None when it lies outside."""
        moved = carried(crop, self._from(source, ijk_to_ras), self.shape)
        if moved is None:
            return None
        k, j, i = (a + b for a, b in zip(moved.start, self.start, strict=True))
        return oriented(moved.mask, self.ijk_to_ras, (k, j, i))

    def _from(self, source: Any, ijk_to_ras: np.ndarray) -> GridMap:
        first = np.eye(4)
        first[:3, 3] = self.start[::-1]
        return grid_map(source, ijk_to_ras, self.node, self.ijk_to_ras @ first)


def reference_grid(segmentation_node: Any) -> ReferenceGrid | None:
    """The reference geometry of a segmentation node; None when it has none."""
    text = segmentation_node.GetSegmentation().GetConversionParameter(_PARAMETER)
    matrix, extent = vtk.vtkMatrix4x4(), [0] * 6
    if not text or not slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, matrix, extent):
        return None
    shape = (extent[5] - extent[4] + 1, extent[3] - extent[2] + 1, extent[1] - extent[0] + 1)
    if min(shape) < 1:
        return None
    return ReferenceGrid(segmentation_node, numpy_matrix(matrix), (extent[4], extent[2], extent[0]), shape)
