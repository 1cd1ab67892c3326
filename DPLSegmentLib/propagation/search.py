"""Finds where to begin in a scan on which nothing is painted (ours)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from scipy import ndimage
from torch import Tensor

from DPLSegmentLib.network.evidence import shrink
from DPLSegmentLib.propagation.body import resized
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.polish import connected
from DPLSegmentLib.propagation.prototype_set import Section
from DPLSegmentLib.propagation.raggedness import raggedness
from DPLSegmentLib.propagation.steps import DecoderStep, Step, margin_of
from DPLSegmentLib.propagation.sweep import Seed, SweepRange

_MOST_LOOKS = 36
_LEAST_PRESENCE = 0.3
_LEAST_PIXELS = 12
_LEAST_LIKELY = 0.05
_MOST_GROWTH = 1.3
_INSIDE = 0.5
_PIECE_SHARE = 0.3
_HEIGHT_MM, _BY_HEIGHT = 30.0, 1.5
_ANY_HEIGHT = 0.05


@dataclass(frozen=True, eq=False)
class Candidate:
    """A slice on which the structure seems to be, and how well it fits (0..1); `step` has the probability of the pieces
    which lie best there, `mask` [H, W] is what they are filled up to."""

    index: int
    mask: Tensor
    step: Step
    fit: float


class Search:
    """Looks on evenly spaced slices, then on every slice near the best."""

    def __init__(
        self, finder: DecoderStep, embedding: Embedding, prior: Tensor, section: Section, height_mm: float | None
    ) -> None:
        self.finder = finder
        self.embedding = embedding
        self.prior = prior
        self.expected = resized(prior, embedding.images.shape[1:])
        self.area = section.area_mm2 / embedding.stack.pixel_mm**2
        self.ragged = section.ragged
        self.height_mm = height_mm

    def seed(self, reach: SweepRange, check: Callable[[int], None]) -> Seed | None:
        """Where the structure fits best; None when it seems absent. `check` is told each slice looked at."""
        stride = max(1, math.ceil((reach.last - reach.first + 1) / _MOST_LOOKS))
        found = [self._look(index, check) for index in range(reach.first, reach.last + 1, stride)]
        rough = self._best(found, reach)
        if rough is None:
            return None
        near = range(max(reach.first, rough.index - stride + 1), min(reach.last, rough.index + stride - 1) + 1)
        found += [self._look(index, check) for index in near if index != rough.index]
        best = self._best(found, reach)
        return best and self._seed(best)

    def _look(self, index: int, check: Callable[[int], None]) -> Candidate:
        check(index)
        seen = self.finder.find(self.embedding, index, self.prior)
        one = self._best_pieces(seen.probability)
        step = replace(seen, probability=one, margin=margin_of(one))
        mask = self._filled(one > _INSIDE, seen.probability)
        return Candidate(index, mask, step, self._fit(index, step, mask))

    def _best_pieces(self, probability: Tensor) -> Tensor:
        """The pieces that lie best where they are expected, over a threshold at which they are not far too large."""
        weighted = (probability * self.expected).flatten()
        threshold = self._threshold(probability, _MOST_GROWTH * self.area, _INSIDE)
        labels, count = ndimage.label((probability >= threshold).cpu().numpy())
        if not count:
            return torch.zeros_like(probability)
        pieces = torch.from_numpy(labels).to(probability.device)
        mass = torch.zeros(count + 1, device=probability.device).index_add_(0, pieces.flatten().long(), weighted)
        mass[0] = 0
        return probability * (mass >= _PIECE_SHARE * mass.max())[pieces.long()]

    def _fit(self, index: int, step: Step, mask: Tensor) -> float:
        sure = (step.probability > _INSIDE).float()
        size = float(sure.sum())
        if size < _LEAST_PIXELS:
            return 0.0
        sized = math.exp(-0.5 * abs(math.log(size / max(self.area, 1.0))))
        alike = self.finder.likeness(self.embedding, index, sure) ** 2
        place = float((self.expected * step.probability).sum() / step.probability.sum())
        placed = math.sqrt(place) * self._at_height(index)
        return step.presence * step.margin * sized * alike * self._formed(mask) * placed

    def _formed(self, mask: Tensor) -> float:
        """How well its outline is as round, or as ragged, as where it is painted."""
        return 1.0 if self.ragged is None else math.exp(-abs(raggedness(shrink(mask[None])[0]) - self.ragged))

    def _at_height(self, index: int) -> float:
        """How well a slice lies at the height where the structure is expected; never 0, heights are rough."""
        if self.height_mm is None:
            return 1.0
        away = (index * self.embedding.stack.gap_mm - self.height_mm) / _HEIGHT_MM
        return (_ANY_HEIGHT + math.exp(-0.5 * away**2)) ** _BY_HEIGHT

    def _best(self, candidates: Sequence[Candidate], reach: SweepRange) -> Candidate | None:
        best = max(candidates, key=lambda candidate: candidate.fit, default=None)
        present = best and best.fit > 0 and (reach.certain or best.step.presence > _LEAST_PRESENCE)
        return best if present else None

    def _seed(self, candidate: Candidate) -> Seed:
        return Seed(candidate.index, candidate.mask, candidate.step.presence * candidate.step.margin)

    def _filled(self, found: Tensor, seen: Tensor) -> Tensor:
        """What was found [H, W], filled up to the expected area with what is `seen` to be likely around it: of a
        structure that looks a little different in another patient only the core is found."""
        if not 0 < float(found.sum()) < self.area:
            return found.float()
        likely = seen >= self._threshold(seen, self.area, _LEAST_LIKELY)
        filled = connected((found | likely).cpu().numpy()[None], {0: found.cpu().numpy()})[0]
        return torch.from_numpy(filled).to(seen)

    def _threshold(self, probability: Tensor, pixels: float, least: float) -> float:
        """What as many pixels reach where the structure is expected, but not less than `least`."""
        weighted = (probability * self.expected).flatten()
        count = min(int(pixels) + 1, weighted.numel())
        return max(least, float(probability.flatten()[weighted.topk(count).indices].min()))
