"""Probabilities that are all too high or all too low: one number added to their log odds (intercept of Platt 1999)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_PRIOR_PIXELS = 30.0
_LOWEST, _HIGHEST = 0.011, 0.989
_FARTHEST = 3.0
_ROUNDS = 8
_NOTHING = 0.005
_CLIP = 0.002


def fitted_shift(found: Sequence[Tensor], painted: Sequence[Tensor]) -> float:
    """What added to the log odds of probabilities makes them likeliest, given masks of the same shapes; in -3..3.

    Logistic regression with that intercept alone, by Newton's method, over the pixels in doubt; a prior as strong as 30
    of them pulls towards 0 (ours).
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


def shifted(probability: Tensor, shift: Tensor | float) -> Tensor:
    """Probabilities after `shift` is added to their log odds; where there is as good as nothing, nothing comes."""
    moved = (probability.logit(eps=_CLIP) + shift).sigmoid()
    return torch.where(probability > _NOTHING, moved, probability)
