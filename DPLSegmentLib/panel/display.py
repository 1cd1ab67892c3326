"""What the panel lets the views show of the results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from DPLSegmentLib.panel.results import Results
from DPLSegmentLib.panel.run import ScanResult
from DPLSegmentLib.panel.stage import Stage
from DPLSegmentLib.scene.display import SliceViews, show_surface
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.nodes import present
from DPLSegmentLib.scene.places import slice_in_view
from DPLSegmentLib.scene.preview import Preview


class Shown:
    """Surfaces and the confidence overlay, and how they go away again."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._views: SliceViews | None = None
        self._previews: list[Preview] = []

    def surfaces(self, nodes: Sequence[Any], on: bool) -> None:
        """Show or drop the surfaces of segmentations."""
        for node in filter(present, nodes):
            show_surface(node, on)

    def overlay(self, results: Results) -> None:
        """Lay the confidence of the first result over the scan; raises SceneError when there is none."""
        maps = [preview.confidence_node for preview in results.previews if preview.confidence_node is not None]
        if not maps:
            raise SceneError("There is no confidence to show: press Propagate.")
        self.no_overlay()
        self._views = self._stage.views()
        self._views.overlay(maps[0])
        self._previews = list(results.previews)
        self._fill(False)

    def no_overlay(self) -> None:
        """Show again what lay over the scan before."""
        if self._views is not None:
            self._views.no_overlay()
            self._views = None
        self._fill(True)
        self._previews = []

    def _fill(self, on: bool) -> None:
        """Contours alone leave the colours of what lies below as they are."""
        for preview in self._previews:
            preview.set_fill(on)

    def jump(self, result: ScanResult | None) -> None:
        """Go to the slice that would help most if it were painted; raises SceneError when there is none."""
        preview = result.target.preview if result is not None else None
        if result is None or preview is None or result.next_slice is None:
            raise SceneError("No slice stands out as uncertain.")
        self._stage.views().jump(preview.scan_node, preview.centre(result.axis, result.next_slice))

    def slice_in_view(self, scan: Any) -> tuple[int, int] | None:
        """Array axis and index of the slice that the first view shows along the scan's axes."""
        found = (slice_in_view(node, scan) for node in self._stage.slice_nodes())
        return next((place for place in found if place is not None), None)
