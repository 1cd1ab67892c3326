"""From a painted slice to the next and back: what is lost on the way shows with a single painted slice (ours)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.steps import Stepper
from DPLSegmentLib.propagation.sweep import Seed, Sweep, SweepRange, SweptSlice

_INSIDE = 0.5


def return_trips(stepper: Stepper, embedding: Embedding, seeds: Sequence[Seed], crossing: bool) -> Iterator[SweptSlice]:
    """The slices of the seeds as they come back from each neighbour that is no seed, where something is found there."""
    known = {seed.index for seed in seeds}
    for seed in seeds:
        for neighbour in (seed.index + 1, seed.index - 1):
            if neighbour in known or not 0 <= neighbour < embedding.count:
                continue
            there = _one_step(stepper, embedding, seed, neighbour, crossing)
            mask = (there.probability > _INSIDE).to(seed.mask)
            if mask.any():
                back = _one_step(stepper, embedding, Seed(neighbour, mask), seed.index, crossing)
                yield replace(back, origin=seed.index)


def _one_step(stepper: Stepper, embedding: Embedding, seed: Seed, index: int, crossing: bool) -> SweptSlice:
    reach = SweepRange(min(seed.index, index), max(seed.index, index), certain=True)
    (swept,) = Sweep(stepper, embedding, reach, crossing).run([seed])
    return swept
