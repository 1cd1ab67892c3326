"""Sweeps that arrive at the next painted slice show what they get wrong; it is put right on the slices between (ours).

Two things are learnt there: how much too large or too small everything is, one number that is added to all log odds
(the intercept of Platt 1999, with a prior), and where the error lies, which grows with the way from what is painted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.propagation.sweep import Blend, Seed, SweptSlice

_PRIOR_PIXELS = 30.0
_LOWEST, _HIGHEST = 0.011, 0.989
_FARTHEST = 2.0
_ROUNDS = 8
_BLUR = 4.0
_NOTHING = 0.005
_CLIP = 0.002


class Rehearsal:
    """Collects the slices of sweeps that arrived at another painted slice, and corrects what lies between."""

    def __init__(self, seeds: Sequence[Seed]) -> None:
        self.painted = {seed.index: seed.mask.cpu().float() for seed in seeds}
        self.arrived: list[tuple[SweptSlice, Tensor]] = []

    def add(self, swept: SweptSlice) -> None:
        """Take in how a sweep arrived at a painted slice."""
        self.arrived.append((swept, (swept.probability * swept.present).cpu().float()))

    def correct(self, blend: Blend) -> None:
        """Change the probabilities of all slices that are not painted."""
        if not self.arrived:
            return
        shift = fitted_shift([found for _, found in self.arrived], [self.painted[s.index] for s, _ in self.arrived])
        errors = self._errors(shift)
        for index in blend.visited.nonzero().flatten().tolist():
            if index not in self.painted:
                nearer = shifted(blend.total[index].float(), shift * self._share_of_way(index))
                blend.total[index] = (nearer + carried(errors, index)).clamp(0, 1).to(blend.total)

    def _errors(self, shift: float) -> Mapping[tuple[int, int], Tensor]:
        """Of each stretch between two painted slices (first, last) what is missing [H, W] at both ends, in -2..2."""
        errors: dict[tuple[int, int], Tensor] = {}
        for swept, found in self.arrived:
            ends = (min(swept.index, swept.origin), max(swept.index, swept.origin))
            error = _blurred(self.painted[swept.index] - shifted(found, shift))
            errors[ends] = errors[ends] + error if ends in errors else error
        return errors

    def _share_of_way(self, index: int) -> float:
        """The way from the nearest painted slice, as share of the mean way of those that arrived, at most 1."""
        way = sum(swept.distance for swept, _ in self.arrived) / len(self.arrived)
        return min(1.0, min(abs(index - painted) for painted in self.painted) / way)


def fitted_shift(found: Sequence[Tensor], painted: Sequence[Tensor]) -> float:
    """What added to the log odds of probabilities makes them likeliest, given masks of the same shapes; in -2..2.

    Logistic regression with that intercept alone, by Newton's method, over the pixels in doubt; towards 0 pulls a
    prior as strong as 30 of them.
    """
    probability, inside = (torch.cat([each.flatten() for each in parts]) for parts in (found, painted))
    doubtful = (probability > _LOWEST) & (probability < _HIGHEST)
    odds, inside = probability[doubtful].logit(), inside[doubtful]
    shift = 0.0
    for _ in range(_ROUNDS):
        now = (odds + shift).sigmoid()
        slope = float((now - inside).sum()) + _PRIOR_PIXELS * shift
        curvature = float((now * (1 - now)).sum()) + _PRIOR_PIXELS
        shift = max(-_FARTHEST, min(_FARTHEST, shift - slope / curvature))
    return shift


def shifted(probability: Tensor, shift: float) -> Tensor:
    """Probabilities after `shift` is added to their log odds; where there is as good as nothing, nothing comes."""
    moved = (probability.logit(eps=_CLIP) + shift).sigmoid()
    return torch.where(probability > _NOTHING, moved, probability)


def carried(errors: Mapping[tuple[int, int], Tensor], index: int) -> Tensor:
    """[H, W]: what to add on a slice; a quarter of the errors in the middle of its stretch, 0 outside of all stretches.

    Each end's error grows along the way of the sweep that made it, and so does the other sweep's weight in the blend.
    """
    for (first, last), error in errors.items():
        if first < index < last:
            return error * ((index - first) * (last - index) / (last - first) ** 2)
    return torch.zeros(())


def _blurred(image: Tensor) -> Tensor:
    """[H, W] smoothed by a Gaussian."""
    offsets = torch.arange(-int(3 * _BLUR), int(3 * _BLUR) + 1)
    kernel = torch.exp(-offsets.square() / (2 * _BLUR**2))
    kernel = (kernel / kernel.sum())[None, None, None]
    along = functional.conv2d(image[None, None], kernel, padding="same")
    return functional.conv2d(along, kernel.mT, padding="same")[0, 0]
