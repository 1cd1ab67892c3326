"""Scans and segmentations that the tests of the panel look at."""

from __future__ import annotations

from typing import Any

import numpy as np
import vtk

from DPLSegmentLib.evaluation.metrics import dice
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.scene.oriented import voxels
from DPLSegmentLib.scene.painting import find_painting
from Testing.panel.stand import Panel

_GOOD = 0.7


def masks(segmentation: Any, scan: Any) -> dict[str, np.ndarray]:
    """Bool arrays on the scan's grid, by segment name."""
    shape = scan.GetImageData().GetDimensions()[::-1]
    return {each.info.name: each.crop.full(shape) for each in find_painting(segmentation, scan)._segments}


def good(found: dict[str, np.ndarray], truth: Segmentation) -> dict[str, bool]:
    """Whether each organ was found, by name."""
    organs = {segment.name: segment.mask for segment in truth.segments}
    return {name: dice(mask, organs[name]) > _GOOD for name, mask in found.items()}


def copied(scan: Any, name: str) -> Any:
    """Another scan that shows the same, one Hounsfield unit brighter."""
    node = scan.GetScene().AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    image = vtk.vtkImageData()
    image.DeepCopy(scan.GetImageData())
    voxels(image)[...] += 1
    node.SetAndObserveImageData(image)
    matrix = vtk.vtkMatrix4x4()
    scan.GetIJKToRASMatrix(matrix)
    node.SetIJKToRASMatrix(matrix)
    node.CreateDefaultDisplayNodes()
    return node


def turn(scene: Any, degrees: float) -> Any:
    """A transform about an oblique axis."""
    transform = vtk.vtkTransform()
    transform.RotateWXYZ(degrees, 1, 2, 3)
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    node.SetMatrixTransformToParent(transform.GetMatrix())
    return node


def keep_only(panel: Panel, name: str) -> None:
    """Leave one painted structure, for a fast run."""
    inside = panel.state.segmentation.GetSegmentation()
    for segment_id in list(inside.GetSegmentIDs()):
        if inside.GetSegment(segment_id).GetName() != name:
            inside.RemoveSegment(segment_id)
    panel.presenter.painting_changed()
