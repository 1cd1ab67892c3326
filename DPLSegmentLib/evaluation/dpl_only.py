"""Baseline: DPL as published, without our propagation. Every slice by itself against the enhanced prototypes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from DPLSegmentLib.evaluation.engine_segmenter import EngineSegmenter
from DPLSegmentLib.evaluation.seam import Answer, Part
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.options import EngineOptions
from DPLSegmentLib.propagation.types import Support


class DplOnly:
    """A `Segmenter`. With parts, each part sees its own painted slice and no other, as published."""

    def __init__(self, name: str, engine: Engine, options: EngineOptions, seed: int = 0) -> None:
        self.name = name
        self._whole = EngineSegmenter(name, engine, replace(options, use_propagation=False), seed)

    def segment(
        self,
        supports: Sequence[Support],
        query: Volume,
        slice_range: tuple[int, int] | None = None,
        parts: Sequence[Part] = (),
    ) -> Answer:
        """Score the slices; raises PropagationError."""
        if not parts:
            return self._whole.segment(supports, query, slice_range)
        return _joined(self._part(supports, query, part) for part in parts)

    def _part(self, supports: Sequence[Support], query: Volume, part: Part) -> Answer:
        seen = [_only(support, part.painted) for support in supports]
        return self._whole.segment(seen, query, (part.first, part.last))


def _only(support: Support, index: int) -> Support:
    """The support with one painted slice left."""
    segments = []
    for segment in support.painted.segments:
        mask = np.zeros_like(segment.mask)
        mask[index] = segment.mask[index]
        segments.append(segment.with_mask(mask))
    return Support(support.volume, replace(support.painted, segments=tuple(segments)))


def _joined(answers: Iterable[Answer]) -> Answer:
    masks: dict[str, np.ndarray] = {}
    for answer in answers:
        for name, mask in answer.masks.items():
            masks[name] = masks[name] | mask if name in masks else mask
    return Answer(masks)
