"""Outward from each painted slice in both directions, until the structure ends; several sweeps are blended."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from DPLSegmentLib.network.evidence import Memory
from DPLSegmentLib.propagation.crossing import uncrossed
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.greys import GreyRange, grey_range
from DPLSegmentLib.propagation.growth import Growth, growth_from
from DPLSegmentLib.propagation.steady import Steadiness, steadiness_from
from DPLSegmentLib.propagation.steps import Step, Stepper

_INSIDE = 0.5
_LEAST_PIXELS = 3
_PATIENCE_MM = 6.0
_MEMORY = 0.3
_ENDING = 0.5

Guide = Callable[[Tensor, int], Tensor]
"""Probabilities [H, W] that were swept on a slice, and which one it is, to those that the sweep goes on from."""


@dataclass(frozen=True, eq=False)
class Seed:
    """A slice whose mask [H, W] is taken as known, with its confidence 0..1 (1 where a person painted it)."""

    index: int
    mask: Tensor
    confidence: float = 1.0

    @property
    def painted(self) -> bool:
        """Whether a person painted it."""
        return self.confidence == 1.0


@dataclass(frozen=True, eq=False)
class SweptSlice:
    """A slice that a sweep reached from its seed `origin`: `probability` [H, W], `confidence` 0..1, and how far that
    counts: a `presence` of 1 where the structure is taken to be there, 0..0.5 where the sweep ends."""

    index: int
    probability: Tensor
    confidence: float
    origin: int
    presence: float

    @property
    def present(self) -> bool:
        """Whether the structure is taken to be there."""
        return self.presence > _INSIDE

    @property
    def distance(self) -> int:
        """In slices from its seed."""
        return abs(self.index - self.origin)


@dataclass(frozen=True)
class SweepRange:
    """Slices first..last may be visited; `certain` says that the structure is known to be in all of them, otherwise it
    is in those of `known` (first, last)."""

    first: int
    last: int
    certain: bool = False
    known: tuple[int, int] = (0, -1)

    def holds(self, index: int) -> bool:
        """Whether the structure is known to be in a slice."""
        return self.certain or self.known[0] <= index <= self.known[1]


@dataclass
class _Front:
    """One direction of one seed."""

    seed: Seed
    direction: int
    limit: int
    memory: Memory
    growth: Growth
    greys: GreyRange | None
    steadiness: Steadiness
    at: int = 0
    mask: Tensor = field(default_factory=lambda: torch.zeros(0))
    confidence: float = 1.0
    missed: list[SweptSlice] = field(default_factory=list)
    running: bool = True


class Sweep:
    """Moves all fronts of one structure one slice at a time, nearest slices first."""

    def __init__(
        self,
        stepper: Stepper,
        embedding: Embedding,
        reach: SweepRange,
        crossing: bool = False,
        guide: Guide | None = None,
    ) -> None:
        self.stepper = stepper
        self.embedding = embedding
        self.reach = reach
        self.guide = guide
        self.strict = not crossing and not embedding.stack.thin
        self.patience = max(1, round(_PATIENCE_MM / embedding.stack.gap_mm))

    def run(self, seeds: Sequence[Seed]) -> Iterator[SweptSlice]:
        """Swept slices in the order they are reached; a slice between two seeds comes twice, and so does
        a seed that sweeps from others arrive at.

        A slice without the structure is held back until it is known whether the structure comes again: then it is no
        gap, but as present as those around it.
        """
        fronts = self._fronts(sorted(seeds, key=lambda seed: seed.index))
        while any(front.running for front in fronts):
            for front in fronts:
                if front.running:
                    yield from self._advance(front)

    def _fronts(self, seeds: Sequence[Seed]) -> list[_Front]:
        fronts = []
        for number, seed in enumerate(seeds):
            before = seeds[number - 1].index if number else self.reach.first
            after = seeds[number + 1].index if number + 1 < len(seeds) else self.reach.last
            memory = self.stepper.begin(self.embedding, seed.index, seed.mask)
            strict = seed.painted and self.strict
            greys = grey_range(self.embedding.image(seed.index), seed.mask) if strict else None
            for direction, limit in ((1, after), (-1, before)):
                growth, steadiness = growth_from(seed.mask, strict), steadiness_from(_area(seed.mask))
                place = (seed.index, seed.mask, seed.confidence)
                fronts.append(_Front(seed, direction, limit, memory, growth, greys, steadiness, *place))
        return fronts

    def _advance(self, front: _Front) -> Iterator[SweptSlice]:
        index = front.at + front.direction * (len(front.missed) + 1)
        if (index - front.limit) * front.direction > 0:
            front.running = False
            yield from front.missed
            return
        step = self._step(front, index)
        confidence = front.confidence * _MEMORY + (1 - _MEMORY) * quality(step) * front.confidence**0.25
        carried = self.guide(step.probability, index) if self.guide else step.probability
        area = _area(carried)
        presence = self._presence(front, step, confidence, area, index)
        swept = SweptSlice(index, step.probability, confidence, front.seed.index, presence)
        if not swept.present:
            yield from self._missed(front, swept)
            return
        front.steadiness.follow(area)
        yield from self._taken(front, swept, carried, step.memory)

    def _taken(self, front: _Front, swept: SweptSlice, carried: Tensor, memory: Memory | None) -> Iterator[SweptSlice]:
        """The slice, after those that were missed on the way to it; what is `carried` of it is gone on from."""
        yield from (replace(missed, presence=1.0) for missed in front.missed)
        front.at, front.mask, front.confidence, front.missed = swept.index, carried, swept.confidence, []
        front.memory = memory or front.memory
        yield swept

    def _missed(self, front: _Front, swept: SweptSlice) -> Iterator[SweptSlice]:
        """Nothing before the patience is at an end; then all slices that were missed."""
        front.missed.append(swept)
        if len(front.missed) >= self.patience:
            front.running = False
            yield from front.missed

    def _step(self, front: _Front, index: int) -> Step:
        stack = self.embedding.stack
        step = self.stepper.step(self.embedding, index, front.at, front.mask, front.memory)
        gap_mm = stack.gap_mm * abs(index - front.at)
        kept = front.growth.within_reach(step.probability, front.mask, gap_mm, stack.pixel_mm)
        if front.greys is not None:
            image = self.embedding.image(index)
            kept = front.greys.within(uncrossed(kept, front.mask, image), front.mask, image)
        return replace(step, probability=kept)

    def _presence(self, front: _Front, step: Step, confidence: float, area: float, index: int) -> float:
        """1, or where presence or confidence are below their limits half of what they have of those."""
        if area < _LEAST_PIXELS:
            return 0.0
        limits = front.steadiness.limits(area)
        reached = min(step.presence / limits.presence, confidence / limits.confidence)
        return 1.0 if reached > 1 or self.reach.holds(index) else _ENDING * reached


def _area(mask: Tensor) -> float:
    """Pixels inside."""
    return float((mask > _INSIDE).sum())


def quality(step: Step) -> float:
    """How far one step is to be trusted, 0..1."""
    return max(step.presence, 1 - step.presence) * step.margin**0.5 * (0.5 + 0.5 * step.agreement)


class Blend:
    """Collects the slices of one structure; where two sweeps meet they are weighted by confidence and nearness."""

    def __init__(self, embedding: Embedding, seeds: Sequence[Seed]) -> None:
        count, height, width = embedding.images.shape
        self.total = torch.zeros(count, height, width, dtype=torch.float16)
        self.weight = torch.zeros(count)
        self.confidence = torch.zeros(count)
        for seed in seeds:
            self.total[seed.index], self.weight[seed.index] = seed.mask.to(self.total), 1.0
            self.confidence[seed.index] = seed.confidence

    def add(self, swept: SweptSlice) -> None:
        """Take in one swept slice."""
        weight = max(swept.confidence, 1e-3) / swept.distance
        whole = float(self.weight[swept.index]) + weight
        share = weight / whole
        self.total[swept.index].mul_(1 - share).add_(swept.probability.to(self.total) * swept.presence * share)
        self.confidence[swept.index] = self.confidence[swept.index] * (1 - share) + swept.confidence * share
        self.weight[swept.index] = whole

    def visited_besides(self, known: Container[int]) -> list[int]:
        """Slices that were seeds or were reached, without some."""
        return [index for index in self.visited.nonzero().flatten().tolist() if index not in known]

    def drop(self, slices: Tensor) -> None:
        """Forget the slices where the bool tensor [n] is true."""
        self.total[slices], self.weight[slices], self.confidence[slices] = 0, 0, 0

    @property
    def visited(self) -> Tensor:
        """bool [n]: slices that were seeds or were reached."""
        return self.weight > 0
