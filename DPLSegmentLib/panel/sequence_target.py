"""Where the results for the scans of a sequence go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from DPLSegmentLib.propagation.types import Propagation, SliceResult
from DPLSegmentLib.scene.editor import EditorSeam
from DPLSegmentLib.scene.logics import SceneLogics
from DPLSegmentLib.scene.nodes import present
from DPLSegmentLib.scene.scans import read_scan
from DPLSegmentLib.scene.sequences import SequenceResults, sequence_scans
from DPLSegmentLib.worker.requests import Scan


class SequenceTarget:
    """One scan of a sequence; nothing is previewed, the results of all are kept together. See `run.Target`."""

    own = False
    preview = None

    def __init__(self, name: str, index_value: str, node: Any, results: SequenceResults) -> None:
        self.name = name
        self.node = node
        self.results = results
        self._index_value = index_value

    def scan(self) -> Scan:
        """Its voxels; raises SceneError."""
        volume = read_scan(self.node)
        return Scan(f"{self.name}-{self.node.GetImageData().GetMTime()}", volume)

    def begin(self) -> None:
        """Nothing is previewed."""

    def add_slice(self, result: SliceResult) -> None:
        """Nothing is previewed."""

    def finishing(self, result: Propagation) -> Iterator[None]:
        """Keep the result; raises SceneError."""
        self.results.add(self._index_value, result)
        yield

    def remove(self) -> None:
        """Nothing was added for this scan alone."""

    @property
    def alive(self) -> bool:
        """Whether the results are still there."""
        return present(self.results.node)

    def keep(self, segmentation: Any | None, editor: EditorSeam) -> Any:
        """Show the results of all scans together with the sequence; raises SceneError."""
        return self.results.finish() or self.results.node

    def discard(self) -> None:
        """Give up the results of all scans."""
        self.results.remove()


def sequence_targets(scene: Any, logics: SceneLogics, browser: Any, source: Any | None) -> list[SequenceTarget]:
    """A target for each scan of a sequence; raises SceneError for an empty one."""
    found = sequence_scans(browser)
    results = SequenceResults(scene, logics, browser, source, f"{browser.GetName()} segmentation")
    return [SequenceTarget(f"{browser.GetName()} {value}", value, node, results) for value, node in found]
