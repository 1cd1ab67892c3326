"""Masks that have run into a neighbour, so that a sweep learns to come back (ours)."""

from __future__ import annotations

import torch
from torch import Tensor

from DPLSegmentLib.network.prototypes import dilated

_TOUCHING = 6
_RIM = 0.5
_RIM_WIDTH = (3, 13)


def with_leaks(masks: Tensor, truth: Tensor, alike: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Masks [m, H, W], a `share` of them joined with the true mask of another structure, and which ones: bool [m].

    A structure that looks the same (`alike`) never leaks into the other: nothing would tell them apart afterwards.
    """
    count = len(masks)
    leaked = torch.rand(count) < share
    joined = masks.clone()
    for number in leaked.nonzero().flatten().tolist():
        others = [n for n in range(count) if n != number and not torch.equal(alike[n], alike[number])]
        if others:
            joined[number] = _joined(masks[number], truth[others])
        leaked[number] = bool(torch.any(joined[number] != masks[number]))
    return joined, leaked.to(masks.device)


def _joined(mask: Tensor, others: Tensor) -> Tensor:
    """A mask [H, W] with one of the others [m, H, W], a touching one if any is; half of the times its rim only."""
    touching = (others * _grown(mask, _TOUCHING)).flatten(1).any(1)
    chosen = others[touching] if bool(touching.any()) else others
    other = chosen[int(torch.randint(len(chosen), ()))]
    if float(torch.rand(())) < _RIM:
        other = other * _grown(mask, int(torch.randint(*_RIM_WIDTH, ())))
    return torch.maximum(mask, other)


def _grown(mask: Tensor, radius: int) -> Tensor:
    return dilated((mask > 0.5).to(mask), radius)
