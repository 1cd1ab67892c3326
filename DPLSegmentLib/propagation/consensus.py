"""Several found slices each sweep the whole range and vote; who agrees with the others counts most (ours).

A slice that was found may show something else. Its sweep then disagrees with the sweeps from the others, and is
outvoted. Votes are weighted as in STAPLE (Warfield et al. 2004), by a plain power of each one's Dice with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    """The weighted share of up to eight votes for each pixel of each slice, and the mean confidence of those who voted.

    A pixel is told by who voted for it: of each slice only the pixels of each such pattern are counted.
    """
    blend = Blend(embedding, ())
    weights = torch.stack([vote.weight for vote in votes])
    codes = _codes(votes)
    weights = weights * _reliabilities(_counted(codes, len(votes)), weights)[:, None]
    blend.weight = weights.sum(0)
    shares = weights / blend.weight.clamp(min=1e-9)
    table = _totals(shares).to(blend.total)
    for index in blend.visited.nonzero().flatten().tolist():
        blend.total[index] = table[index][codes[index].long()]
    blend.confidence = (shares * torch.stack([vote.confidence for vote in votes])).sum(0)
    return blend


def _codes(votes: Sequence[Vote]) -> Tensor:
    """uint8 [n, H, W]: bit k is set where vote k is for a pixel."""
    codes = torch.zeros(votes[0].inside.shape, dtype=torch.uint8)
    for bit, vote in enumerate(votes):
        codes += vote.inside * torch.tensor(1 << bit, dtype=torch.uint8)
    return codes


def _patterns(count: int) -> Tensor:
    """bool [2^count, count]: the votes that each code stands for."""
    return (torch.arange(1 << count)[:, None] >> torch.arange(count) & 1).bool()


def _counted(codes: Tensor, count: int) -> Tensor:
    """float32 [n, 2^count]: how many pixels of each slice have each code."""
    return torch.stack([torch.bincount(plane.flatten(), minlength=1 << count) for plane in codes]).float()


def _totals(weights: Tensor) -> Tensor:
    """float32 [n, 2^votes]: the weights [votes, n] of those who are for the pixels of each code."""
    return weights.T @ _patterns(len(weights)).T.to(weights)


def _reliabilities(counts: Tensor, weights: Tensor) -> Tensor:
    """[votes]: a power of the Dice of each vote with what the others agree on, found in a few rounds."""
    trust = torch.ones(len(weights))
    for _ in range(_ROUNDS):
        trust = _alike(counts, weights * trust[:, None]) ** _POWER + 1e-6
    return trust


def _alike(counts: Tensor, weights: Tensor) -> Tensor:
    """[votes]: the Dice of each with the weighted majority of the others."""
    patterns = _patterns(len(weights))
    half = _INSIDE * (weights.sum(0) - weights)
    own = weights[:, :, None] * patterns.T[:, None]
    rest = _totals(weights) - own > half[:, :, None]
    both = (rest & patterns.T[:, None]) * counts
    sizes = (rest * counts).sum((1, 2)) + (patterns.T[:, None] * counts).sum((1, 2))
    return 2 * both.sum((1, 2)) / sizes.clamp(min=1.0)
