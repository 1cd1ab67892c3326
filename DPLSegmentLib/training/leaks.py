"""Masks that have run into a neighbour, so that a sweep learns to come back (ours)."""

from __future__ import annotations

import torch
from torch import Tensor


def with_leaks(masks: Tensor, truth: Tensor, alike: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Masks [m, H, W], a `share` of them joined with the true mask of another structure, and which ones: bool [m].

    A structure that looks the same (`alike`) never leaks into the other: nothing would tell them apart afterwards.
    """
    count = len(masks)
    leaked = torch.rand(count) < share
    joined = masks.clone()
    for number in leaked.nonzero().flatten().tolist():
        others = [n for n in range(count) if n != number and not torch.equal(alike[n], alike[number])]
        leaked[number] = bool(others)
        if others:
            other = others[int(torch.randint(len(others), ()))]
            joined[number] = torch.maximum(masks[number], truth[other])
    return joined, leaked.to(masks.device)
