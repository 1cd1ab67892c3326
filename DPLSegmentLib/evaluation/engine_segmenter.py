"""Our own engine under evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from DPLSegmentLib.evaluation.seam import Answer, Part
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.options import EngineOptions
from DPLSegmentLib.propagation.types import Support


class EngineSegmenter:
    """A `Segmenter` that gets all painted slices at once and leaves the parts to the engine."""

    def __init__(self, name: str, engine: Engine, options: EngineOptions, seed: int = 0) -> None:
        self.name = name
        self._engine = engine.with_options(replace(options, seed=seed))

    def segment(
        self,
        supports: Sequence[Support],
        query: Volume,
        slice_range: tuple[int, int] | None = None,
        parts: Sequence[Part] = (),
    ) -> Answer:
        """Propagate; raises PropagationError."""
        found = self._engine.propagate(supports, query, slice_range=slice_range)
        return Answer(
            {segment.name: segment.mask for segment in found.segmentation.segments},
            {report.name: report.next_slice for report in found.structures},
            found.confidence.array,
        )
