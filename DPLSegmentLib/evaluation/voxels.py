"""Every voxel that a result holds: whether it is right, and how sure the result was of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from DPLSegmentLib.evaluation import protocol_s
from DPLSegmentLib.evaluation.engine_segmenter import EngineSegmenter
from DPLSegmentLib.evaluation.painting import occupied
from DPLSegmentLib.evaluation.plan import Plan
from DPLSegmentLib.evaluation.seam import Segmenter
from DPLSegmentLib.evaluation.tasks import Task
from DPLSegmentLib.propagation.confidence import plain_margin
from DPLSegmentLib.propagation.engine import Engine


@dataclass(frozen=True, eq=False)
class Voxels:
    """n voxels inside of results: `right` bool [n]; float32 [n] in 0..1: the `confidence` that a result comes with, and
    the `margin` |2p - 1| of its probability p."""

    right: np.ndarray
    confidence: np.ndarray
    margin: np.ndarray

    @property
    def probability(self) -> np.ndarray:
        """p [n] in 0.5..1, which a margin stands for inside of a result."""
        return (1 + self.margin) / 2


class VoxelReader:
    """Asks the engine every task of protocol S twice: with its own confidence, and with the plain margin instead."""

    def __init__(self, engine: Engine) -> None:
        self._ours = EngineSegmenter("confidence", engine, engine.options)
        self._plain = EngineSegmenter("margin", engine, replace(engine.options, confidence=plain_margin))

    def read(self, plan: Plan, on_task: Callable[[str], None] | None = None) -> dict[str, Voxels]:
        """The voxels of each structure over all cases, without the slices that were painted: those are known.

        `on_task` hears the structure of every finished task. Raises PropagationError.
        """
        parts: dict[str, list[Voxels]] = {}
        for task in protocol_s.tasks(plan):
            parts.setdefault(task.structure, []).append(self._voxels(task))
            if on_task:
                on_task(task.structure)
        return {structure: joined(each) for structure, each in parts.items()}

    def _voxels(self, task: Task) -> Voxels:
        mask, confidence = _asked(self._ours, task)
        same, margin = _asked(self._plain, task)
        inside = mask & same
        inside[_painted(task)] = False
        return Voxels(task.truth[inside], confidence[inside], margin[inside])


def joined(parts: Iterable[Voxels]) -> Voxels:
    """All voxels of at least one part."""
    parts = list(parts)
    return Voxels(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Voxels)))


def _asked(segmenter: Segmenter, task: Task) -> tuple[np.ndarray, np.ndarray]:
    answer = segmenter.segment(task.supports, task.query)
    confidence = answer.confidence
    return answer.masks[task.structure], np.zeros(task.truth.shape) if confidence is None else confidence


def _painted(task: Task) -> Sequence[int]:
    return occupied(task.supports[0].region).tolist()
