"""Results that wait to be applied or discarded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from DPLSegmentLib.panel.run import ScanResult
from DPLSegmentLib.panel.wording import Colour
from DPLSegmentLib.scene.editor import EditorSeam
from DPLSegmentLib.scene.preview import Preview


class Results:
    """Those of one run; deleted previews drop out by themselves."""

    def __init__(self) -> None:
        self._results: list[ScanResult] = []

    def take(self, results: Iterable[ScanResult]) -> None:
        """Those of another run; what was there before is discarded."""
        self.discard()
        self._results = list(results)

    @property
    def all(self) -> list[ScanResult]:
        """What can still be applied."""
        return [result for result in self._results if result.target.alive]

    @property
    def previews(self) -> list[Preview]:
        """Previews in the scene, that of the painted scan first."""
        return [result.target.preview for result in self.all if result.target.preview is not None]

    @property
    def own(self) -> ScanResult | None:
        """The result for the painted scan."""
        return next((result for result in self.all if result.target.own), None)

    @property
    def uncertain(self) -> ScanResult | None:
        """A result with a slice that would help if it were painted, that of the painted scan first."""
        found = [result for result in self.all if result.next_slice is not None and result.target.preview is not None]
        return min(found, key=lambda result: not result.target.own, default=None)

    @property
    def colours(self) -> dict[str, Colour]:
        """Colour of each structure, by its name."""
        found = {}
        for preview in self.previews:
            segments = preview.node.GetSegmentation()
            for name, segment_id in preview.segment_ids.items():
                found[name] = tuple(segments.GetSegment(segment_id).GetColor())
        return found

    def apply(self, segmentation: Any | None, editor: EditorSeam) -> list[Any]:
        """Put the painted scan's result into the painted segmentation, in one undo step, and keep those of other scans
        as segmentations of their own; returns all nodes. Raises SceneError; what was not applied by then stays."""
        kept = []
        for result in self.all:
            kept.append(result.target.keep(segmentation, editor))
            self._results.remove(result)
        return list(dict.fromkeys(kept))

    def discard(self) -> None:
        """Leave the scene as it was before the run."""
        for result in self._results:
            result.target.discard()
        self._results = []

    def forget(self) -> None:
        """The scene is closed: nothing is left to be removed."""
        self._results = []
