"""What the views show: surfaces in 3D, the confidence over the scan, the slice to look at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from DPLSegmentLib.scene.nodes import checked, present
from DPLSegmentLib.scene.places import ijk_to_world

_OVERLAY = 0.5
_SURFACE = "Closed surface"


def show_surface(segmentation_node: Any, on: bool) -> None:
    """Make and show the closed surfaces of all segments in 3D, or drop them. Raises SceneError for a deleted node."""
    checked(segmentation_node, "vtkMRMLSegmentationNode", "segmentation")
    if not on:
        segmentation_node.RemoveClosedSurfaceRepresentation()
        return
    segmentation_node.CreateClosedSurfaceRepresentation()
    segmentation_node.GetDisplayNode().SetVisibility3D(True)


def surface_shown(segmentation_node: Any) -> bool:
    """True when a segmentation has closed surfaces to show in 3D."""
    return present(segmentation_node) and segmentation_node.GetSegmentation().ContainsRepresentation(_SURFACE)


class SliceViews:
    """The slice views, by their composite and slice nodes: what was shown before comes back with `restore`."""

    def __init__(self, composite_nodes: Iterable[Any], slice_nodes: Iterable[Any]) -> None:
        self._composites = tuple(composite_nodes)
        self._slices = tuple(slice_nodes)
        self._foregrounds: dict[Any, tuple[str | None, float]] = {}
        self._planes: dict[Any, Any] = {}

    def show(self, scan_node: Any) -> None:
        """Show a scan in all views. Raises SceneError when it has gone."""
        checked(scan_node, "vtkMRMLScalarVolumeNode", "scan")
        for composite in filter(present, self._composites):
            composite.SetBackgroundVolumeID(scan_node.GetID())

    def overlay(self, confidence_node: Any, opacity: float = _OVERLAY) -> None:
        """Lay a volume over the scan in all views. Raises SceneError when it has gone."""
        checked(confidence_node, "vtkMRMLScalarVolumeNode", "confidence map")
        for composite in filter(present, self._composites):
            before = (composite.GetForegroundVolumeID(), composite.GetForegroundOpacity())
            self._foregrounds.setdefault(composite, before)
            composite.SetForegroundVolumeID(confidence_node.GetID())
            composite.SetForegroundOpacity(opacity)

    def no_overlay(self) -> None:
        """Bring back what lay over the scan before `overlay`; nothing when nothing was laid over it."""
        for composite, (volume_id, opacity) in self._foregrounds.items():
            if present(composite):
                known = volume_id and composite.GetScene().GetNodeByID(volume_id)
                composite.SetForegroundVolumeID(volume_id if known else None)
                composite.SetForegroundOpacity(opacity)
        self._foregrounds.clear()

    def jump(self, scan_node: Any, ijk: tuple[float, float, float]) -> None:
        """Move all slices to a voxel (i, j, k) of a scan. Raises SceneError when the scan has gone."""
        checked(scan_node, "vtkMRMLScalarVolumeNode", "scan")
        position = ijk_to_world(scan_node, ijk).tolist()
        for node in filter(present, self._slices):
            if node not in self._planes:
                self._planes[node] = _copied(node.GetSliceToRAS())
            node.JumpSliceByOffsetting(*position)

    def restore(self) -> None:
        """Overlay and slices as they were before the first `overlay` and `jump`."""
        self.no_overlay()
        for node, plane in self._planes.items():
            if present(node):
                node.GetSliceToRAS().DeepCopy(plane)
                node.UpdateMatrices()
        self._planes.clear()


def _copied(matrix: Any) -> Any:
    copy = matrix.NewInstance()
    copy.DeepCopy(matrix)
    return copy
