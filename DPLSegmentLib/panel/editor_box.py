"""The Segment Editor inside the panel: its node, its keys, and changes of segments that its Undo takes back."""

from __future__ import annotations

from typing import Any

_TAG = "DPLSegment"
_EFFECTS = ("Paint", "Draw", "Erase", "Level tracing", "Threshold")
_LETTERS = {"": "", "Paint": "", "Draw": "AX", "Erase": "", "Level tracing": "", "Threshold": ""}
_ESCAPE = 0


class EditorBox:
    """`editor` is a qMRMLSegmentEditorWidget, `logic` a vtkSlicerSegmentEditorLogic; `node_class` makes its node."""

    def __init__(self, editor: Any, scene: Any, logic: Any, node_class: Any) -> None:
        self.editor = editor
        self._scene = scene
        self._logic = logic
        self._node_class = node_class
        self._main_window: Any = None
        editor.setEffectNameOrder(list(_EFFECTS))
        editor.unorderedEffectsVisible = False
        self.renew()

    @property
    def node(self) -> Any:
        """The vtkMRMLSegmentEditorNode with masking and overwrite rules; a new one after the scene was closed."""
        return self._scene.GetSingletonNode(_TAG, "vtkMRMLSegmentEditorNode") or self._new_node()

    def _new_node(self) -> Any:
        node = self._node_class()
        node.SetSingletonTag(_TAG)
        node.SetOverwriteMode(node.OverwriteNone)
        return self._scene.AddNode(node)

    def renew(self) -> None:
        """Use the node of the scene as it is now."""
        node = self.node
        self._logic.SetMRMLScene(self._scene)
        self._logic.SetSegmentEditorNode(node)
        self.editor.setMRMLSegmentEditorNode(node)

    def edit(self, scan: Any | None, segmentation: Any | None) -> None:
        """Paint on this scan, into this segmentation."""
        self.editor.setSegmentationNode(segmentation)
        if segmentation is not None:
            self.editor.setSourceVolumeNode(scan)

    def enter(self, main_window: Any | None) -> None:
        """The module is shown: the editor's keys work (there are none without a main window)."""
        self._main_window = main_window
        if main_window is not None:
            self.editor.installKeyboardShortcuts(main_window)
        self.renew()
        self.editor.updateWidgetFromMRML()

    def exit(self) -> None:
        """Another module is shown: nothing is painted any more."""
        self.editor.setActiveEffect(None)
        self.editor.uninstallKeyboardShortcuts()
        self.editor.removeViewObservations()

    def drop(self) -> None:
        """The scene is about to be closed."""
        self.editor.setActiveEffect(None)
        self.editor.setSegmentationNode(None)
        self.editor.removeViewObservations()

    def lend_escape(self, lent: bool) -> None:
        """Leave Esc to the panel while it cancels a run: two owners of a key block each other."""
        for child in self._main_window.children() if self._main_window is not None else ():
            if child.inherits("QShortcut") and child.property("effectIndex") == _ESCAPE:
                child.enabled = not lent

    def escape(self) -> None:
        """What Esc does in the Segment Editor."""
        self.editor.setActiveEffect(None)

    def takes(self, letter: str) -> bool:
        """Whether the active effect listens to this letter; an effect of another extension may listen to any."""
        return letter in _LETTERS.get(self.node.GetActiveEffectName() or "", letter)

    def save_state_for_undo(self) -> None:
        """Let the editor's Undo come back to the segmentation as it is now."""
        self.editor.saveStateForUndo()

    def modify(self, segmentation: Any, segment_id: str, labelmap: Any, mode: str) -> None:
        """Change a segment by a vtkOrientedImageData under the masking and overwrite rules of the editor's node.

        `mode` is "set", "add" or "remove".
        """
        self._logic.SetSegmentationNode(segmentation)
        self._logic.UpdateReferenceGeometryImage()
        modification = getattr(self._logic, f"ModificationMode{mode.capitalize()}")
        self._logic.ModifySegmentByLabelmap(segmentation, segment_id, labelmap, modification, False, False)
