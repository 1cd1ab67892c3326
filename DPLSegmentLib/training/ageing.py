"""Memories of sweeps that have come a long way, so that short episodes teach long sweeps too (ours)."""

from __future__ import annotations

import torch
from torch import Tensor

from DPLSegmentLib.network.affinity import LocalAffinity
from DPLSegmentLib.network.evidence import Memory

_MOST_STEPS = 20
_MOST_NOISE = 0.5


@torch.no_grad()
def aged(memory: Memory, affinity: LocalAffinity, features: Tensor, gap: float) -> Memory:
    """The memory after up to 20 more steps of `gap` working pixels, on a slice with `features` [C, h, w].

    Its traced masks are carried from the slice to itself through noise: they blur as they do from slice to slice, and
    tell nothing of the slices to come.
    """
    steps, noise = int(torch.randint(_MOST_STEPS, ())), float(torch.rand(())) * _MOST_NOISE
    traced = memory.traced
    for _ in range(steps):
        strange = features + torch.randn_like(features) * noise
        traced = affinity(strange[None], features[None], traced[None])[0]
    return memory.moved(traced, steps * gap)
