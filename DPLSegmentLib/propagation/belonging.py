"""Whether what was swept belongs to what it began from, or to what lies beside that and beyond its ends (ours).

A sweep decides on one slice after the other and carries along what has once leaked in: a heart that took the place of
a liver looks like the slice before. Asked from both sides at once, it is like what is there when the liver has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from DPLSegmentLib.network.affinity import LocalAffinity
from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.network.evidence import grown, shrink
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.log_odds import shifted
from DPLSegmentLib.propagation.region import Region, around
from DPLSegmentLib.propagation.spreading import spread
from DPLSegmentLib.propagation.stretch import stretch_around
from DPLSegmentLib.propagation.sweep import Seed

_INSIDE = 0.5
_BEYOND, _MARGIN = 2, 4
_SUREST, _ADDED = 0.02, 0.5
_MOST, _FEW_PAINTED, _FEW_FOUND = 0.8, 12.0, 60.0


@dataclass(frozen=True, eq=False)
class Belonging:
    """Of one structure in an `embedding`: the `seeds` that it was swept from, the slices (first, last) on which it is
    `known` to be in any case, and the `affinity` along which things belong together. `check` may raise."""

    embedding: Embedding
    affinity: LocalAffinity
    seeds: Sequence[Seed]
    known: tuple[int, int]
    check: Callable[[], None]

    @torch.inference_mode()
    def weighed(self, probability: Tensor, share: float = 1.0) -> Tensor:
        """`probability` [n, H, W] with the log odds of belonging to the seeds added, 0.8 times where they are large and
        painted, less where they are small or not surely found, and the given share of that. What lies beside them, and
        two slices beyond the first and last one of the structure, is something else. Their own slices stay."""
        inside = probability > _INSIDE
        first, last = self._ends(inside.flatten(1).any(1))
        shown = range(max(0, first - _BEYOND), min(len(probability), last + 1 + _BEYOND))
        inside = inside[shown.start : shown.stop]
        if not inside.any():
            return probability
        region = _around(inside.any(0))
        certain = self._own | {first - _BEYOND, last + _BEYOND}
        fixed = torch.tensor([index in certain for index in shown])
        odds = self._odds(shown, region, shrink(region.cut(inside).float()), fixed)
        weighed, counts = probability.clone(), share * self._counts()
        for place in (~fixed).nonzero().flatten().tolist():
            part = region.cut(weighed[shown[place]])
            part.copy_(shifted(part.float(), counts * odds[place]))
        return weighed

    @property
    def _own(self) -> set[int]:
        return {seed.index for seed in self.seeds}

    def _odds(self, shown: range, region: Region, values: Tensor, fixed: Tensor) -> Tensor:
        """Log odds [m, H, W] of the slices that are `shown`; begun with `values` [m, h, w]."""
        values[fixed] = 0
        for seed in self.seeds:
            values[shown.index(seed.index)] = shrink(region.cut(seed.mask)[None].to(values))[0]
        small = region.scaled(STRIDE)
        keys = torch.cat([self.affinity.keys(self.embedding.standardised(index, small)[None]) for index in shown])
        belongs = spread(keys, values.to(keys), fixed.to(keys.device), self.check).to(values)
        return grown(belongs.clamp(_SUREST, 1 - _SUREST).logit()) + _ADDED

    def _ends(self, there: Tensor) -> tuple[int, int]:
        """First and last slice of those in a row that are `there` (bool [n]), on either side of what is certain."""
        certain = self._own.union(range(self.known[0], self.known[1] + 1))
        return stretch_around(there, min(certain), max(certain))

    def _counts(self) -> float:
        """0..0.8; half of that where twelve pixels of the embedding are painted, or sixty are surely found."""
        count = len(self.seeds)
        pixels = sum(float(seed.mask.sum()) for seed in self.seeds) / count / STRIDE**2
        few = _FEW_PAINTED if all(seed.painted for seed in self.seeds) else _FEW_FOUND
        return _MOST * pixels / (pixels + few) * sum(seed.confidence for seed in self.seeds) / count


def _around(inside: Tensor) -> Region:
    """Where a mask [H, W] is, and 16 pixels more."""
    small = around(shrink(inside[None].float())[0] > 0, _MARGIN)
    return Region(small.top * STRIDE, small.left * STRIDE, small.bottom * STRIDE, small.right * STRIDE)
