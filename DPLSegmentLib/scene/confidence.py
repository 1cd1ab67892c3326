"""The confidence of a result as a volume node that slice views can lay over the scan."""

from __future__ import annotations

from typing import Any

import numpy as np

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.scene.nodes import add_node, remove_node
from DPLSegmentLib.scene.oriented import occupied, plain_image, vtk_matrix

_COLORS = 256
_LOWEST_SHOWN = 1e-3


class ConfidenceMap:
    """A scalar volume 0..1, red where uncertain to green where sure, clear where nothing is; not shown by itself."""

    def __init__(self, scene: Any, name: str, confidence: Volume, transform_id: str | None) -> None:
        self.colors = _color_node(scene, f"{name} colours")
        self.node = add_node(scene, "vtkMRMLScalarVolumeNode", name)
        self.node.SetAndObserveImageData(_image(confidence.array))
        self.node.SetIJKToRASMatrix(vtk_matrix(confidence.ijk_to_ras))
        self.node.SetAndObserveTransformNodeID(transform_id)
        self._show()

    def remove(self) -> None:
        """Take the volume, its display and its colours out of the scene."""
        remove_node(self.node)
        remove_node(self.colors)

    def _show(self) -> None:
        display = add_node(self.node.GetScene(), "vtkMRMLScalarVolumeDisplayNode", f"{self.node.GetName()} display")
        display.AutoWindowLevelOff()
        display.SetWindowLevelMinMax(0.0, 1.0)
        display.AutoThresholdOff()
        display.SetThreshold(_LOWEST_SHOWN, 1.0)
        display.ApplyThresholdOn()
        display.SetAndObserveColorNodeID(self.colors.GetID())
        self.node.SetAndObserveDisplayNodeID(display.GetID())


def _image(confidence: np.ndarray) -> Any:
    """Only the box with something in it is copied: of the rest the memory is not even touched."""
    array = np.zeros(confidence.shape, np.float32)
    box = occupied(confidence)
    if box is not None:
        array[box] = confidence[box]
    return plain_image(array)


def _color_node(scene: Any, name: str) -> Any:
    node = add_node(scene, "vtkMRMLColorTableNode", name)
    node.SetTypeToUser()
    node.SetNumberOfColors(_COLORS)
    for index in range(_COLORS):
        share = index / (_COLORS - 1)
        node.SetColor(index, f"{share:.2f}", min(1.0, 2 - 2 * share), min(1.0, 2 * share), 0.1, 1.0)
    node.HideFromEditorsOn()
    return node
