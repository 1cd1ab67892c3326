"""Grids, masks and results that the tests of this room paint with, and what they look at afterwards."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from scipy.spatial.transform import Rotation
from vtk.util.numpy_support import numpy_to_vtk

from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Propagation, StructureReport
from DPLSegmentLib.scene.nodes import remove_node
from DPLSegmentLib.scene.oriented import vtk_matrix
from DPLSegmentLib.scene.scans import ijk_to_ras, shape_of

SHAPE = (20, 30, 40)
LIVER = "Segmentation category and type~SCT^123037004^Anatomical Structure~SCT^10200004^Liver~^^~Anatomic codes~^^~^^"
TERMINOLOGY = "TerminologyEntry"


def upright() -> np.ndarray:
    """Voxels of 0.8 x 0.9 x 3 mm, axes as most CT series have them."""
    return np.array([[-0.8, 0, 0, 50.0], [0, -0.9, 0, 60.0], [0, 0, 3.0, -100.0], [0, 0, 0, 1]])


def oblique() -> np.ndarray:
    """Voxels of 0.7 x 1.1 x 2.5 mm at odd angles."""
    grid = np.eye(4)
    grid[:3, :3] = Rotation.from_euler("xyz", (12, -20, 35), degrees=True).as_matrix() * (0.7, 1.1, 2.5)
    grid[:3, 3] = (-30.0, 40.5, 7.25)
    return grid


def color(number: int) -> tuple[float, float, float]:
    return (0.2 + 0.1 * number, 0.5, 0.25)


def slab(axis: int, index: int, at: int = 5, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """One painted slice across an array axis, from voxel `at` of the other axes on."""
    mask = np.zeros(shape, bool)
    box = [slice(at % 12 + 1, at % 12 + 7), slice(at % 18 + 1, at % 18 + 9), slice(at, at + 11)]
    box[axis] = slice(index, index + 1)
    mask[tuple(box)] = True
    return mask


def block(first: int, last: int, at: int, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """A solid organ on axial slices first..last around what `slab(0, ...)` paints."""
    mask = np.zeros(shape, bool)
    mask[first : last + 1, at % 18 : at % 18 + 11, at : at + 12] = True
    return mask


def result_for(scan: Any, masks: dict[str, np.ndarray]) -> Propagation:
    grid = ijk_to_ras(scan)
    segments = tuple(Segment(name, mask, n, color(n), {}) for n, (name, mask) in enumerate(masks.items(), 1))
    confidence = np.where(np.logical_or.reduce(list(masks.values())), 0.75, 0).astype(np.float32)
    reports = tuple(StructureReport(name, 1.0, 0.75, 4) for name in masks)
    volume = Volume(confidence, grid, scan.GetName())
    return Propagation(Segmentation(segments, grid), volume, reports, 0, 4, {}, "CPU", "test")


def mask_of(node: Any, name: str, scan: Any) -> np.ndarray:
    """What a segment holds, as Slicer itself exports it to the grid of a scan [z, y, x]."""
    segment_id = node.GetSegmentation().GetSegmentIdBySegmentName(name)
    exported = scan.GetScene().AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "exported")
    slicer.vtkSlicerSegmentationsModuleLogic.ExportSegmentsToLabelmapNode(node, [segment_id], exported, scan)
    mask = slicer.util.arrayFromVolume(exported).astype(bool)
    remove_node(exported)
    return mask


def everything(node: Any) -> list[tuple[Any, ...]]:
    """All that a segmentation node keeps of its segments."""
    segmentation = node.GetSegmentation()
    found = []
    for segment_id in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(segment_id)
        array = slicer.util.arrayFromSegmentInternalBinaryLabelmap(node, segment_id)
        voxels = None if array is None else int((array == segment.GetLabelValue()).sum())
        color = tuple(round(part, 5) for part in segment.GetColor())
        found.append((segment_id, segment.GetName(), color, segment.GetTerminology(), voxels))
    return found


def node_ids(scene: Any) -> list[str]:
    return [scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())]


def empty(shape: tuple[int, int, int]) -> np.ndarray:
    return np.zeros(shape, bool)


def tilted(scan: Any, angle: float = 25.0) -> np.ndarray:
    """A disc painted in a plane tilted about the scan's x axis, one voxel thick."""
    grid = ijk_to_ras(scan)
    shape = shape_of(scan)
    zyx = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), -1).reshape(-1, 3)
    points = zyx[:, ::-1] @ grid[:3, :3].T
    axes = grid[:3, :3] / np.linalg.norm(grid[:3, :3], axis=0)
    normal = np.cos(np.radians(angle)) * axes[:, 2] + np.sin(np.radians(angle)) * axes[:, 1]
    centre = points.mean(0)
    thickness = np.abs(normal @ grid[:3, :3]).sum()
    away = points - centre
    inside = (np.abs(away @ normal) < 0.3 * thickness) & (np.linalg.norm(away, axis=1) < 12)
    return inside.reshape(shape)


def moved(scene: Any, by: tuple[float, float, float]) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[:3, 3] = by
    node.SetMatrixTransformToParent(vtk_matrix(matrix))
    return node


def bent(scene: Any, kind: str, by: tuple[float, float, float]) -> Any:
    """A "grid" or "bspline" transform that moves the middle of the scan by as much, and places far away by nothing."""
    field = np.zeros((11, 11, 11, 3))
    field[1:-1, 1:-1, 1:-1] = by
    image = vtk.vtkImageData()
    image.SetDimensions(11, 11, 11)
    image.SetOrigin(-500, -500, -500)
    image.SetSpacing(100, 100, 100)
    image.GetPointData().SetScalars(numpy_to_vtk(field.reshape(-1, 3), deep=True))
    transform = slicer.vtkOrientedGridTransform() if kind == "grid" else slicer.vtkOrientedBSplineTransform()
    transform.SetDisplacementGridData(image) if kind == "grid" else transform.SetCoefficientData(image)
    names = {"grid": "vtkMRMLGridTransformNode", "bspline": "vtkMRMLBSplineTransformNode"}
    node = scene.AddNewNodeByClass(names[kind])
    node.SetAndObserveTransformToParent(transform)
    return node
