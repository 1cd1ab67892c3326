"""Conservative fusion: the prototype stays in charge, its variants may only nudge or accompany it.

From the paper: the fusion keeps the prototype's fidelity while it adds diversity. The formula and the two modes are
ours: p* = (1 - w) p + w sum_k a_k v_k with a = softmax(cos(v_k, p) / tau), w <= 0.3; variants with cos < 0.5 are
rejected.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.prototypes import unit


class FusionMode(StrEnum):
    """What becomes of the variants: none are used, their mean moves the prototype, or they join it in the set."""

    NONE = "none"
    MEAN = "mean"
    VARIANTS = "variants"


@dataclass(frozen=True)
class ConservativeFusion:
    """`weight` w in 0..1, `temperature` tau, and the smallest cosine to the prototype that a variant may have."""

    mode: FusionMode = FusionMode.MEAN
    weight: float = 0.3
    temperature: float = 0.1
    lowest_cosine: float = 0.5

    def __call__(self, prototypes: Tensor, variants: Tensor) -> Tensor:
        """Prototypes [n, C] and variants [n, K, C] to enhanced prototypes [m, C] of unit RMS, m >= n."""
        if self.mode is FusionMode.NONE:
            return prototypes
        cosine = functional.cosine_similarity(variants, prototypes[:, None], dim=-1)
        kept = cosine >= self.lowest_cosine
        if self.mode is FusionMode.VARIANTS:
            return torch.cat([prototypes, variants[kept]])
        return self._averaged(prototypes, variants, cosine, kept)

    def _averaged(self, prototypes: Tensor, variants: Tensor, cosine: Tensor, kept: Tensor) -> Tensor:
        scores = torch.where(kept, cosine / self.temperature, torch.full_like(cosine, -1e4))
        mean = (scores.softmax(1)[..., None] * variants).sum(1)
        fused = unit((1 - self.weight) * prototypes + self.weight * mean)
        return torch.where(kept.any(1, keepdim=True), fused, prototypes)
