"""Where a structure that was recognised is seen, beside what is swept (ours)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.images.stack import SliceStack
from DPLSegmentLib.propagation.sweep import Seed, SweepRange

_SUREST, _SUREST_SWEPT = 0.02, 0.01
_SEEN, _NOTHING, _LIKELY = 1.5, 0.005, -1.0
_LEADS, _FAR_MM, _LOST = 0.5, 40.0, 0.25
_FOUND = 0.99


@dataclass(frozen=True)
class Recognised:
    """What a painted structure was taken for: the `name` of something known, and how far (0..1) that is trusted."""

    name: str
    trust: float


@dataclass(frozen=True, eq=False)
class KnownStructure:
    """A structure known as `name`, and where it is seen: `probability` [n, h, w] of every slice of `stack`, at the
    recogniser's stride; the slices that it reaches, and how much (0..1) what is seen counts beside what is swept. One
    that `leads` counts more the farther a slice is from those that are `painted`."""

    name: str
    probability: Tensor
    stack: SliceStack
    reach: SweepRange
    trust: float = 1.0
    guides: bool = False
    painted: tuple[int, ...] = ()

    def weighed(self, swept: Tensor, index: int, stack: SliceStack) -> Tensor:
        """Probabilities [H, W] that were swept on a slice of `stack`, and what is seen there."""
        seen = self.odds(index, stack)
        if self._lost(swept, seen, index):
            return seen.sigmoid()
        both = (swept.clamp(_SUREST_SWEPT, 1 - _SUREST_SWEPT).logit() + self._trusted(index) * _SEEN * seen).sigmoid()
        return torch.where((swept > _NOTHING) | (seen > _LIKELY), both, swept)

    def anchors(self, mask: np.ndarray, stack: SliceStack) -> dict[int, np.ndarray]:
        """Slice index to bool [h, w]: where it is surely there, if it guides sweeps and `mask` [n, h, w] has anything
        on a slice on which it is known to be."""
        if not self.leads:
            return {}
        first, last = self.reach.known
        there = [index for index in range(first, last + 1) if mask[index].any()]
        return {index: stack.to_native((self.odds(index, stack) > 0).float()[None].numpy())[0] > 0.5 for index in there}

    def seed(self, stack: SliceStack) -> Seed:
        """Where it is seen on the one slice that it was found by in a scan on which nothing is painted."""
        (index,) = self.painted
        odds = self.odds(index, stack)
        inside = odds >= min(0.0, float(odds.max()))
        return Seed(index, inside.float(), _FOUND * float(odds.sigmoid()[inside].mean()))

    @property
    def leads(self) -> bool:
        """Whether it guides a sweep: not where the paint is only a little like it, as on scans of another kind."""
        return self.guides and self.trust >= _LEADS

    @property
    def doubted(self) -> float:
        """0..1: how much else is asked where it ends; nothing where people drew what is trusted fully."""
        return 1 - self.trust if self.guides else 1.0

    def _trusted(self, index: int) -> float:
        """What is swept far from the paint is trusted less."""
        if not self.leads:
            return self.trust
        mm = min(abs(index - painted) for painted in self.painted) * self.stack.gap_mm
        return 1 - (1 - self.trust) * math.exp(-mm / _FAR_MM)

    def _lost(self, swept: Tensor, seen: Tensor, index: int) -> bool:
        """Whether a sweep has lost it though it is known to be there."""
        held = self.leads and self.reach.holds(index)
        return held and float((swept > 0.5).sum()) < _LOST * float((seen > 0).sum())

    def odds(self, index: int, stack: SliceStack) -> Tensor:
        """Log odds [H, W] of a slice, in working pixels of a `stack` of the same slices."""
        grid = torch.stack(torch.meshgrid(*(self._line(stack, side) for side in range(2)), indexing="ij"))
        seen = functional.grid_sample(
            self.probability[index][None, None], grid.flip(0).movedim(0, -1)[None], align_corners=False
        )
        return seen[0, 0].clamp(_SUREST, 1 - _SUREST).logit()

    def _line(self, stack: SliceStack, side: int) -> Tensor:
        """Where the rows (`side` 0) or columns (1) of another stack lie on the maps, -1..1."""
        mm = (torch.arange(stack.shape[side]) + 0.5) * stack.pixel_mm
        mm = mm + (stack.box[side] - self.stack.box[side]) * stack.sides_mm[side]
        return mm / (self.stack.pixel_mm * self.stack.shape[side]) * 2 - 1
