"""Several found slices each sweep the whole range and vote; who agrees with the others counts most (ours).

A slice that was found may show something else. Its sweep then disagrees with the sweeps from the others, and is
outvoted. Votes are weighted as in STAPLE (Warfield et al. 2004), by a plain power of each one's Dice with the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce

import torch
from torch import Tensor

from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.sweep import Blend, Seed, SweptSlice

_INSIDE = 0.5
_NEAR_MM = 20.0
_POWER = 4
_ROUNDS = 3


class Vote:
    """What the sweep from one seed says: `inside` bool [n, H, W] and how far it is to be trusted, `weight` [n] in 0..1,
    less with the distance from the seed; `confidence` [n] is that of the sweep."""

    def __init__(self, embedding: Embedding, seed: Seed) -> None:
        self.inside = torch.zeros(embedding.images.shape, dtype=torch.bool)
        self.confidence, self.weight = torch.zeros(embedding.count), torch.zeros(embedding.count)
        self.gap_mm = embedding.stack.gap_mm
        self._take(seed.index, seed.mask, seed.confidence, 0)

    def add(self, swept: SweptSlice) -> None:
        """Take in one slice of the sweep."""
        self._take(swept.index, swept.probability * swept.present, swept.confidence, swept.distance)

    def _take(self, index: int, mask: Tensor, confidence: float, distance: int) -> None:
        self.inside[index] = (mask > _INSIDE).cpu()
        self.confidence[index] = confidence
        self.weight[index] = max(confidence, 1e-3) / (1 + distance * self.gap_mm / _NEAR_MM)


def agreed(votes: Sequence[Vote], embedding: Embedding) -> Blend:
    """The weighted share of votes for each pixel of each slice, and the mean confidence of those who voted."""
    blend = Blend(embedding, ())
    weights = torch.stack([vote.weight for vote in votes])
    box = _box(torch.stack([vote.inside.any(0) for vote in votes]).any(0))
    insides = [vote.inside[box] for vote in votes]
    weights = weights * _reliabilities(insides, weights)[:, None]
    blend.weight = weights.sum(0)
    shares = weights / blend.weight.clamp(min=1e-9)
    blend.total[box] = _total(insides, shares).to(blend.total)
    blend.confidence = (shares * torch.stack([vote.confidence for vote in votes])).sum(0)
    return blend


def _reliabilities(insides: Sequence[Tensor], weights: Tensor) -> Tensor:
    """[votes]: a power of the Dice of each vote with what the others agree on, found in a few rounds."""
    trust = torch.ones(len(insides))
    for _ in range(_ROUNDS if len(insides) > 1 else 0):
        weighted = weights * trust[:, None]
        total = _total(insides, weighted)
        alike = [_with_others(*one, total, weighted.sum(0)) for one in zip(insides, weighted, strict=True)]
        trust = torch.tensor(alike) ** _POWER + 1e-6
    return trust


def _with_others(inside: Tensor, weight: Tensor, total: Tensor, whole: Tensor) -> float:
    """Dice of one vote with the majority of the others; `total` and `whole` are all votes and weights together."""
    half = _INSIDE * (whole - weight)
    rest = total - inside * weight[:, None, None] > half[:, None, None]
    return 2 * float((rest & inside).sum()) / max(1.0, float(rest.sum()) + float(inside.sum()))


def _total(insides: Iterable[Tensor], weights: Tensor) -> Tensor:
    """float32 [n, h, w]: the sum of votes [n, h, w], each times its weights [n]."""
    weighted = (inside * weight[:, None, None] for inside, weight in zip(insides, weights, strict=True))
    return reduce(torch.add, weighted)


def _box(area: Tensor) -> tuple[slice, slice, slice]:
    """All slices, rows and columns that hold a bool area [H, W]; nothing where it is empty."""
    ends = (area.any(1 - axis).nonzero().flatten().tolist() or [0, -1] for axis in range(2))
    rows, columns = (slice(found[0], found[-1] + 1) for found in ends)
    return slice(None), rows, columns
