"""A volume node becomes a Volume."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import vtk

from DPLSegmentLib.images.checks import check_grid
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.nodes import checked
from DPLSegmentLib.scene.oriented import numpy_matrix, voxels


def read_scan(node: Any | None) -> Volume:
    """A copy of the voxels [z, y, x], and IJK to the node's own RAS (mm), without its parent transforms.

    Raises SceneError for None, a deleted node, a volume without voxels, a colour or label volume, a single slice,
    voxels that are all the same or not numbers, and slanted axes.
    """
    check_scan_node(node)
    array = voxels(node.GetImageData())
    volume = Volume(array.copy(), ijk_to_ras(node), node.GetName())
    _check(volume)
    return volume


def scan_key(node: Any) -> str:
    """Changes when the voxels, the grid or the node change, and with nothing else. Raises SceneError as `read_scan`."""
    check_scan_node(node)
    grid = hashlib.sha256(ijk_to_ras(node).tobytes()).hexdigest()[:12]
    return f"{node.GetID()}-{node.GetImageData().GetMTime()}-{grid}"


def ijk_to_ras(node: Any) -> np.ndarray:
    """IJK to the node's own RAS (4x4, mm)."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return numpy_matrix(matrix)


def shape_of(node: Any) -> tuple[int, int, int]:
    """Voxels along (z, y, x)."""
    x, y, z = node.GetImageData().GetDimensions()
    return z, y, x


def check_scan_node(node: Any | None) -> None:
    """Raise SceneError unless the node is a volume with one grey value a voxel."""
    checked(node, "vtkMRMLScalarVolumeNode", "scan")
    name = node.GetName()
    if node.IsA("vtkMRMLLabelMapVolumeNode"):
        raise SceneError(f"{name} is a label map and no scan: choose the CT or MR that it was made from.")
    image = node.GetImageData()
    if image is None or not image.GetNumberOfPoints() or image.GetPointData().GetScalars() is None:
        raise SceneError(f"{name} holds no voxels: load the scan again or choose another one.")
    if image.GetNumberOfScalarComponents() > 1:
        raise SceneError(f"{name} has several values in each voxel (colours): choose a CT or MR with grey values.")


def _check(volume: Volume) -> None:
    """As `images.checks.check_scan` says, in a fraction of its time: smallest and largest value tell of NaN, too."""
    if min(volume.shape) < 2:
        raise SceneError(f"{volume.name} is a single slice: at least two are needed, choose the whole series.")
    low, high = volume.array.min(), volume.array.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise SceneError(f"{volume.name} holds voxels that are not numbers (NaN or infinity): load the scan again.")
    if low == high:
        raise SceneError(f"{volume.name} has the same value in every voxel and shows nothing: choose another scan.")
    try:
        check_grid(volume.ijk_to_ras, volume.name)
    except ImageError as error:
        raise SceneError(str(error)) from error
