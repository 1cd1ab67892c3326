"""The Segment Editor's rules: masking, overwriting, undo."""

from __future__ import annotations

from typing import Any, Literal, Protocol

from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.nodes import checked, remove_node

Mode = Literal["set", "add", "remove"]


class EditorSeam(Protocol):
    """What changes a segmentation: through a Segment Editor's masks, its overwrite mode and its history."""

    def save_state_for_undo(self) -> None:
        """Begin one undo step with the state that the segmentation has now."""
        ...

    def modify(self, segmentation: Any, segment_id: str, labelmap: Any, mode: Mode) -> None:
        """Change a segment by a vtkOrientedImageData on the segmentation's own grid; its extent may be cropped."""
        ...


class LogicEditor:
    """An `EditorSeam` without a window, on a vtkSlicerSegmentEditorLogic; it keeps other segments unless an editor node
    with another overwrite mode is given."""

    def __init__(
        self, scene: Any, logic: Any, segmentation: Any, scan_node: Any, editor_node: Any | None = None
    ) -> None:
        """Raises SceneError when a node was deleted or is of the wrong kind."""
        checked(segmentation, "vtkMRMLSegmentationNode", "segmentation")
        checked(scan_node, "vtkMRMLScalarVolumeNode", "scan")
        self._own = None if editor_node is not None else _new_editor_node(scene)
        self._logic = logic
        self.node = editor_node or self._own
        logic.SetSegmentEditorNode(self.node)
        logic.SetSegmentationNode(segmentation)
        logic.SetSourceVolumeNode(scan_node)

    def save_state_for_undo(self) -> None:
        """Begin one undo step. Raises SceneError when the segmentation has gone."""
        self._logic.UpdateReferenceGeometryImage()
        if self._logic.GetSegmentationNode() is None or not self._logic.SaveStateForUndo():
            raise SceneError("The segmentation was deleted: choose another one and propagate again.")

    def modify(self, segmentation: Any, segment_id: str, labelmap: Any, mode: Mode) -> None:
        """Change a segment by a labelmap, through the masking and overwrite mode of the editor node."""
        self._logic.UpdateReferenceGeometryImage()
        self._logic.ModifySegmentByLabelmap(segmentation, segment_id, labelmap, self._mode(mode), False, False)

    def undo(self) -> None:
        """Take back everything since the last `save_state_for_undo`."""
        self._logic.Undo()

    def close(self) -> None:
        """Let go of all nodes, and remove the editor node when it is this editor's own."""
        self._logic.SetSegmentationNode(None)
        self._logic.SetSourceVolumeNode(None)
        self._logic.SetSegmentEditorNode(None)
        remove_node(self._own)

    def _mode(self, mode: Mode) -> Any:
        logic = self._logic
        modes = {
            "set": logic.ModificationModeSet,
            "add": logic.ModificationModeAdd,
            "remove": logic.ModificationModeRemove,
        }
        return modes[mode]


def _new_editor_node(scene: Any) -> Any:
    node = scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
    node.SetOverwriteMode(node.OverwriteNone)
    node.SetSaveWithScene(False)
    return node
