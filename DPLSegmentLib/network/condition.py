"""What the diffusion knows of a prototype: its feature statistics (the paper) and the painted geometry (ours)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

STATISTICS = 7
GEOMETRY = 4
CONDITION = STATISTICS + GEOMETRY
_EPSILON = 1e-6


@dataclass(frozen=True)
class Condition:
    """Switches for the two halves; a half that is off is all zero, so that the network keeps its shape."""

    statistics: bool = True
    geometry: bool = True

    def __call__(self, prototypes: Tensor, geometry: Tensor) -> Tensor:
        """Prototypes [n, C] and region geometry [4] to conditions [n, 11]."""
        statistics = feature_statistics(prototypes)
        shape = geometry.to(statistics).expand(len(prototypes), GEOMETRY)
        return torch.cat([statistics * self.statistics, shape * self.geometry], 1)


def feature_statistics(prototypes: Tensor) -> Tensor:
    """[n, C] to [n, 7]: mean, standard deviation, skewness, kurtosis, RMS, share near zero, energy of the top tenth."""
    mean, deviation = prototypes.mean(1, keepdim=True), prototypes.std(1, keepdim=True) + _EPSILON
    centred = (prototypes - mean) / deviation
    energy = prototypes.square()
    top = energy.topk(max(1, prototypes.shape[1] // 10), 1).values.sum(1) / (energy.sum(1) + _EPSILON)
    return torch.stack(
        [
            mean[:, 0],
            deviation[:, 0],
            centred.pow(3).mean(1).clamp(-5, 5),
            centred.pow(4).mean(1).clamp(0, 10) / 3,
            energy.mean(1).sqrt(),
            (prototypes.abs() < 0.1).to(prototypes).mean(1),
            top,
        ],
        1,
    )
