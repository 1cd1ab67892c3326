"""How wrong a mask is."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

_SMOOTH = 1.0


def mask_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy plus soft Dice, mean over masks [n, H, W]; `truth` in 0..1. Empty masks count by cross entropy."""
    cross = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none").mean((1, 2))
    probability = logits.sigmoid()
    overlap = (probability * truth).sum((1, 2))
    size = probability.sum((1, 2)) + truth.sum((1, 2))
    dice = 1 - (2 * overlap + _SMOOTH) / (size + _SMOOTH)
    present = (truth.sum((1, 2)) > 0).to(dice)
    return (3 * cross + dice * present).mean()


def probability_loss(probability: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy of masks [n, h, w] that are already probabilities."""
    return functional.binary_cross_entropy(probability.clamp(1e-4, 1 - 1e-4), truth)


def presence_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy of presence logits [n] against whether each mask of `truth` [n, H, W] holds anything."""
    return functional.binary_cross_entropy_with_logits(logits, (truth.sum((1, 2)) > 0).to(logits))
