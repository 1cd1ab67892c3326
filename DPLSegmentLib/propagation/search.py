"""Finds where to begin in a scan on which nothing is painted (ours)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.steps import DecoderStep, Step
from DPLSegmentLib.propagation.sweep import Seed, SweepRange

_MOST_LOOKS = 36
_LEAST_PRESENCE = 0.3
_LEAST_PIXELS = 12
_APART_MM = 15.0


@dataclass(frozen=True, eq=False)
class Candidate:
    """A slice on which the structure seems to be, and how well it fits (0..1)."""

    index: int
    step: Step
    fit: float


class Search:
    """Looks on evenly spaced slices, then on every slice near the best."""

    def __init__(self, finder: DecoderStep, embedding: Embedding, prior: Tensor, area_mm2: float) -> None:
        self.finder = finder
        self.embedding = embedding
        self.prior = prior
        self.area = area_mm2 / embedding.stack.pixel_mm**2

    def seeds(self, reach: SweepRange, count: int, check: Callable[[int], None]) -> list[Seed]:
        """At most `count` seeds; none when the structure seems absent. `check` is told each slice looked at."""
        stride = max(1, math.ceil((reach.last - reach.first + 1) / _MOST_LOOKS))
        found = {index: self._look(index, check) for index in range(reach.first, reach.last + 1, stride)}
        for best in self._parts(list(found.values()), count, reach):
            for index in range(max(reach.first, best.index - stride + 1), min(reach.last, best.index + stride - 1) + 1):
                if index not in found:
                    found[index] = self._look(index, check)
        return [self._seed(best) for best in self._parts(list(found.values()), count, reach)]

    def _look(self, index: int, check: Callable[[int], None]) -> Candidate:
        check(index)
        step = self.finder.find(self.embedding, index, self.prior)
        return Candidate(index, step, self._fit(step))

    def _fit(self, step: Step) -> float:
        size = float((step.probability > 0.5).sum())
        if size < _LEAST_PIXELS:
            return 0.0
        return step.presence * step.margin * math.exp(-0.5 * abs(math.log(size / max(self.area, 1.0))))

    def _parts(self, candidates: Sequence[Candidate], count: int, reach: SweepRange) -> Iterator[Candidate]:
        length = (reach.last - reach.first + 1) / count
        for part in range(count):
            inside = [c for c in candidates if int((c.index - reach.first) / length) == part]
            best = max(inside, key=lambda candidate: candidate.fit, default=None)
            if best and best.fit > 0 and (reach.certain or best.step.presence > _LEAST_PRESENCE):
                yield best

    def _seed(self, candidate: Candidate) -> Seed:
        return Seed(
            candidate.index, candidate.step.probability, min(1.0, candidate.step.presence * candidate.step.margin)
        )
