"""Sequences: their scans, and results that play along with them."""

from __future__ import annotations

from typing import Any

from DPLSegmentLib.propagation.types import Propagation
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.hierarchy import put_beside
from DPLSegmentLib.scene.logics import SceneLogics
from DPLSegmentLib.scene.nodes import checked, present, remove_node
from DPLSegmentLib.scene.preview import Preview


def sequence_scans(browser_or_sequence_node: Any) -> list[tuple[str, Any]]:
    """(index value, volume node) for each scan of a sequence, or of a browser's master sequence, in order.

    The nodes live in a scene of the sequence's own, without parent transforms. Raises SceneError for an empty sequence
    and one of something else than scans.
    """
    sequence = _sequence(browser_or_sequence_node)
    count = sequence.GetNumberOfDataNodes()
    if not count:
        raise SceneError(f"The sequence {sequence.GetName()} is empty: record or load some scans first.")
    scans = [(sequence.GetNthIndexValue(n), sequence.GetNthDataNode(n)) for n in range(count)]
    if not all(node is not None and node.IsA("vtkMRMLScalarVolumeNode") for _, node in scans):
        raise SceneError(f"The sequence {sequence.GetName()} holds something else than scans: choose another one.")
    return scans


class SequenceResults:
    """Segmentations for the scans of a sequence, collected one by one and then shown together with it."""

    def __init__(
        self, scene: Any, logics: SceneLogics, browser_or_sequence_node: Any, source_segmentation: Any | None, name: str
    ) -> None:
        """Raises SceneError as `sequence_scans`; nothing is added to the scene before the first result."""
        self._scans = dict(sequence_scans(browser_or_sequence_node))
        self._scans_node = _sequence(browser_or_sequence_node)
        self._browser = _browser(browser_or_sequence_node, logics)
        self._scene, self._logics, self._source, self._name = scene, logics, source_segmentation, name
        self.node: Any | None = None

    def add(self, index_value: str, propagation: Propagation) -> None:
        """Keep the result for one scan. Raises SceneError when the sequence has no scan of this index value."""
        scan = self._scans.get(index_value)
        if not present(scan):
            raise SceneError(f"{self._scans_node.GetName()} has no scan at {index_value} any more: propagate again.")
        names = [segment.name for segment in propagation.segmentation.segments]
        preview = Preview(self._scene, self._logics, scan, self._source, names)
        try:
            preview.finish(propagation)
            self._results_node().SetDataNodeAtValue(preview.node, index_value)
        finally:
            preview.remove()

    def finish(self) -> Any | None:
        """The segmentation that shows the result of the scan in view, or None where the sequence has no browser.

        Raises SceneError when there is no result.
        """
        if not present(self.node):
            raise SceneError(f"There is no result for {self._scans_node.GetName()}: propagate again.")
        self.node.SetSaveWithScene(True)
        if not present(self._browser):
            return None
        self._browser.AddSynchronizedSequenceNode(self.node)
        self._logics.sequences.UpdateProxyNodesFromSequences(self._browser)
        shown = self._browser.GetProxyNode(self.node)
        self._put_on_scan(shown)
        return shown

    def remove(self) -> None:
        """Take the results out of the scene, shown or not."""
        if not present(self.node):
            return
        if present(self._browser) and self._browser.IsSynchronizedSequenceNode(self.node):
            shown = self._browser.GetProxyNode(self.node)
            self._browser.RemoveSynchronizedSequenceNode(self.node.GetID())
            remove_node(shown)
        remove_node(self.node)

    def _put_on_scan(self, shown: Any) -> None:
        if shown.GetDisplayNode() is None:
            shown.CreateDefaultDisplayNodes()
        scan = self._browser.GetProxyNode(self._scans_node)
        if scan is not None:
            shown.SetAndObserveTransformNodeID(scan.GetTransformNodeID())
            shown.SetReferenceImageGeometryParameterFromVolumeNode(scan)
            put_beside(self._scene, shown, scan)

    def _results_node(self) -> Any:
        if not present(self.node):
            name = self._scene.GenerateUniqueName(self._name)
            self.node = self._scene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
            self.node.CopySequenceIndex(self._scans_node)
            self.node.RemoveAllDataNodes()
        return self.node


def _sequence(node: Any) -> Any:
    if node is not None and node.IsA("vtkMRMLSequenceBrowserNode"):
        checked(node, "vtkMRMLSequenceBrowserNode", "sequence")
        if node.GetMasterSequenceNode() is None:
            raise SceneError(f"The sequence browser {node.GetName()} has no sequence: choose one for it first.")
        return node.GetMasterSequenceNode()
    return checked(node, "vtkMRMLSequenceNode", "sequence")


def _browser(node: Any, logics: SceneLogics) -> Any | None:
    if node.IsA("vtkMRMLSequenceBrowserNode"):
        return node
    return logics.sequences.GetFirstBrowserNodeForSequenceNode(node) if logics.sequences else None
