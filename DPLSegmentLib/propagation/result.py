"""Puts the structures of one scan together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.confidence import VoxelConfidence, next_to_paint, voxel_confidence
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.known import KnownStructure
from DPLSegmentLib.propagation.level import level
from DPLSegmentLib.propagation.painted import PaintedSlice
from DPLSegmentLib.propagation.polish import (
    Voxels,
    box_of,
    connected,
    native_part,
    native_probability,
    smooth_across,
    without_overlap,
)
from DPLSegmentLib.propagation.prototype_set import StructurePrototypes
from DPLSegmentLib.propagation.stopwatch import Stopwatch
from DPLSegmentLib.propagation.structure import SweptStructure
from DPLSegmentLib.propagation.types import OnProgress, Progress, Propagation, StructureReport

_INSIDE = 0.5


@dataclass(frozen=True, eq=False)
class _Part:
    structure: StructurePrototypes
    swept: SweptStructure
    painted: Sequence[PaintedSlice]
    probability: np.ndarray
    mask: np.ndarray
    box: Voxels
    confidence: np.ndarray


class Assembly:
    """Collects swept structures and makes the result on the grid of the scan."""

    def __init__(self, query: Volume, axis: int, confidence: VoxelConfidence = voxel_confidence) -> None:
        self.query = query
        self.axis = axis
        self.confidence = confidence
        self.parts: list[_Part] = []

    def add(
        self,
        structure: StructurePrototypes,
        swept: SweptStructure,
        embedding: Embedding,
        painted: Sequence[PaintedSlice],
        known: KnownStructure | None = None,
    ) -> None:
        """Clean one structure, swept through `embedding`; its painted slices stay voxel for voxel as painted. What does
        not hang together with them is left out, unless the structure is known to be there."""
        keep = [each.index for each in painted]
        smooth = smooth_across(swept.probability, embedding.stack.gap_mm, keep)
        slices = np.flatnonzero((smooth.amax((1, 2)) > 0.02).numpy())
        probability = native_probability(smooth, embedding, slices)
        level(probability, slices.tolist(), painted, embedding.stack)
        mask = np.zeros(probability.shape, bool)
        mask[slices] = probability[slices] > _INSIDE
        mask = _with_painted(mask, painted)
        anchors = known.anchors(mask, embedding.stack) if known else {}
        mask = connected(mask, anchors | self._anchors(mask, swept, painted))
        mask = _with_painted(mask, painted)
        box = box_of(mask)
        score, sure = native_part(swept.score, embedding, box), swept.confidence.numpy()[box[0]]
        confidence = self.confidence(probability[box], score, sure)
        self.parts.append(_Part(structure, swept, painted, probability, mask, box, confidence))

    def finish(self, watch: Stopwatch, device: str, model_id: str, on_progress: OnProgress | None) -> Propagation:
        """The result; structures no longer overlap, except where they were painted over each other."""
        masks = without_overlap([part.mask for part in self.parts], [part.probability for part in self.parts])
        masks = [_with_painted(mask, part.painted) for mask, part in zip(masks, self.parts, strict=True)]
        segments = tuple(self._segment(part, mask) for part, mask in zip(self.parts, masks, strict=True))
        merged = np.zeros(masks[0].shape, np.float32)
        reports = []
        for part, mask in zip(self.parts, masks, strict=True):
            confidence = part.confidence * mask[part.box]
            np.maximum(merged[part.box], confidence, out=merged[part.box])
            reports.append(self._report(part, mask, confidence))
        if on_progress:
            on_progress(Progress("polish", 1.0))
        watch.lap("polish")
        doubtful = min(reports, key=lambda report: report.confidence)
        return Propagation(
            Segmentation(segments, self.query.ijk_to_ras, self.query.name),
            self.query.with_array(np.ascontiguousarray(np.moveaxis(merged, 0, self.axis))),
            tuple(reports),
            self.axis,
            doubtful.next_slice,
            watch.seconds,
            device,
            model_id,
        )

    def _anchors(
        self, mask: np.ndarray, swept: SweptStructure, painted: Sequence[PaintedSlice]
    ) -> dict[int, np.ndarray]:
        drawn = {each.index: each.native for each in painted}
        return drawn or {index: mask[index] for index in swept.seeds}

    def _segment(self, part: _Part, mask: np.ndarray) -> Segment:
        native = np.ascontiguousarray(np.moveaxis(mask, 0, self.axis))
        structure = part.structure
        return Segment(structure.name, native, structure.value, structure.color, structure.tags)

    def _report(self, part: _Part, mask: np.ndarray, confidence: np.ndarray) -> StructureReport:
        """`confidence` is that of the voxels around the mask, 0 outside of it."""
        sizes, painted = mask.sum((1, 2)), [each.index for each in part.painted]
        mean = float(confidence.sum()) / max(int(sizes.sum()), 1)
        following = next_to_paint(part.swept.confidence.numpy(), part.swept.visited.numpy(), painted, sizes)
        return StructureReport(part.structure.name, float(sizes.sum()) * self.query.voxel_millilitres, mean, following)


def _with_painted(mask: np.ndarray, painted: Sequence[PaintedSlice]) -> np.ndarray:
    for each in painted:
        mask[each.index] = each.native
    return mask
