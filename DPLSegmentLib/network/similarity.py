"""Cosine scores of every embedding pixel against the prototypes (ALPNet's similarity, Ouyang et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

SCALE = 20.0


@dataclass(frozen=True, eq=False)
class Scores:
    """Soft-maximum cosines [n, h, w] in -1..1 to the foreground and to the background prototypes."""

    foreground: Tensor
    background: Tensor

    @property
    def logit(self) -> Tensor:
        """[n, h, w] log odds of the foreground."""
        return SCALE * (self.foreground - self.background)

    @property
    def probability(self) -> Tensor:
        """[n, h, w] in 0..1."""
        return self.logit.sigmoid()


def score(features: Tensor, foreground: Tensor, background: Tensor) -> Scores:
    """Features [n, C, h, w] against prototypes [f, C] and [b, C]."""
    features = functional.normalize(features, dim=1)
    return Scores(_soft_maximum(features, foreground), _soft_maximum(features, background))


def _soft_maximum(features: Tensor, prototypes: Tensor) -> Tensor:
    count, channels, height, width = features.shape
    directions = functional.normalize(prototypes, dim=1).to(features)
    cosine = torch.matmul(directions, features.reshape(count, channels, -1))
    return ((SCALE * cosine).softmax(1) * cosine).sum(1).view(count, height, width)
