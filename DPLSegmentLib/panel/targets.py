"""Where results go: into a preview over a scan of the scene."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from DPLSegmentLib.propagation.types import Propagation, SliceResult
from DPLSegmentLib.scene.applying import apply_preview, keep_result
from DPLSegmentLib.scene.editor import EditorSeam
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.logics import SceneLogics
from DPLSegmentLib.scene.nodes import present
from DPLSegmentLib.scene.preview import Preview
from DPLSegmentLib.scene.scans import read_scan, scan_key
from DPLSegmentLib.worker.requests import Scan


class Scans:
    """Voxels of the painted scan, copied once as long as they do not change."""

    def __init__(self) -> None:
        self._known: Scan | None = None

    def scan(self, node: Any) -> Scan:
        """The scan of a node; raises SceneError."""
        key = scan_key(node)
        if self._known is None or self._known.key != key:
            self._known = Scan(key, read_scan(node))
        return self._known

    def forget(self) -> None:
        """Let go of the copy."""
        self._known = None


class ScanTarget:
    """A scan node whose result is previewed in a second segmentation; see `run.Target`.

    `own`: it is the scan that was painted on, so that its result belongs into the painted segmentation.
    """

    def __init__(
        self, scene: Any, logics: SceneLogics, scans: Scans, node: Any, source: Any | None, own: bool,
        structures: tuple[str, ...] | None = None,
    ) -> None:  # fmt: skip
        self.node = node
        self.name = node.GetName()
        self.own = own
        self.preview: Preview | None = None
        self._scene, self._logics, self._scans = scene, logics, scans
        self._source, self._structures = source, structures

    def scan(self) -> Scan:
        """Its voxels; raises SceneError."""
        return self._scans.scan(self.node) if self.own else Scan(scan_key(self.node), read_scan(self.node))

    def begin(self) -> None:
        """Make an empty preview; raises SceneError."""
        self.remove()
        self.preview = Preview(self._scene, self._logics, self.node, self._source, self._structures)

    def add_slice(self, result: SliceResult) -> None:
        """Preview one slice; raises SceneError."""
        self._alive.add_slice(result)

    def finishing(self, result: Propagation) -> Iterator[None]:
        """Preview the whole result, step by step; raises SceneError."""
        for _ in self._alive.finishing(result):
            yield
            if not present(self.node):
                raise SceneError(f"{self.name} was deleted while it was segmented.")

    def remove(self) -> None:
        """Take the preview away."""
        if self.preview is not None:
            self.preview.remove()
            self.preview = None

    @property
    def alive(self) -> bool:
        """Whether the preview is still there."""
        return self.preview is not None and self.preview.alive

    def keep(self, segmentation: Any | None, editor: EditorSeam) -> Any:
        """Apply to the painted segmentation where it is the painted scan's, else keep as one of its own."""
        preview = self._alive
        if not (self.own and present(segmentation)):
            return keep_result(preview, f"{self.name} segmentation")
        apply_preview(preview, segmentation, preview.segment_ids.values(), editor)
        self.remove()
        return segmentation

    def discard(self) -> None:
        """Give the result up."""
        self.remove()

    @property
    def _alive(self) -> Preview:
        if self.preview is None or not self.preview.alive:
            raise SceneError(f"The preview for {self.name} was deleted: press Propagate to make a new one.")
        return self.preview
