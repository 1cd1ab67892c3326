"""New nodes: a scan that was read, and a segmentation to paint into."""

from __future__ import annotations

from typing import Any

import numpy as np

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.scene.hierarchy import put_beside
from DPLSegmentLib.scene.oriented import plain_image, vtk_matrix
from DPLSegmentLib.scene.segments import BINARY


def add_scan(scene: Any, scan: Volume, name: str | None = None) -> Any:
    """A node with the voxels of a scan, named after it, with a display of its own."""
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GenerateUniqueName(name or scan.name))
    node.SetAndObserveImageData(plain_image(_stored(scan.array)))
    node.SetIJKToRASMatrix(vtk_matrix(scan.ijk_to_ras))
    node.CreateDefaultDisplayNodes()
    return node


def add_segmentation(scene: Any, scan_node: Any, what: str = "segmentation") -> Any:
    """A segmentation on the grid of a scan and beside it, "<scan> <what>", without segments."""
    name = scene.GenerateUniqueName(f"{scan_node.GetName()} {what}")
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(scan_node)
    node.SetAndObserveTransformNodeID(scan_node.GetTransformNodeID())
    node.GetSegmentation().SetSourceRepresentationName(BINARY)
    put_beside(scene, node, scan_node)
    return node


def _stored(array: np.ndarray) -> np.ndarray:
    """Whole numbers, such as Hounsfield units, as Slicer keeps them."""
    if array.dtype.kind != "f":
        return array
    whole = np.rint(array)
    small = np.abs(array).max() < np.iinfo(np.int16).max
    return whole.astype(np.int16) if small and np.array_equal(whole, array) else array
