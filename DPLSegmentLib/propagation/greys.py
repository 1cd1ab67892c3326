"""A large cross-section takes in nothing whose grey values the painted slice did not show (ours)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.evidence import LARGE

_INSIDE = 0.5
_RADIUS = 3
_MOST = 0.5
_TAIL = 0.01
_MARGIN = 0.1
_LEAST_WEIGHT = 1e-4


@dataclass(frozen=True)
class GreyRange:
    """From which to which local mean grey value, 0..1, a structure reaches."""

    low: float
    high: float

    def within(self, probability: Tensor, mask: Tensor, image: Tensor) -> Tensor:
        """A probability [H, W] without the spots whose local mean lies outside.

        So must most of their pixels: a thin vessel stays. `image` [H, W] in 0..1 is the slice of the probability,
        `mask` [H, W] that of the slice before; below 600 working pixels it changes nothing.
        """
        if int((mask > _INSIDE).sum()) < LARGE:
            return probability
        inside = probability > _INSIDE
        mostly = _local_means(self._beyond(image), inside) > _MOST
        return probability * ~(inside & mostly & self._beyond(_local_means(image, inside)))

    def _beyond(self, greys: Tensor) -> Tensor:
        return (greys < self.low) | (greys > self.high)


def grey_range(image: Tensor, mask: Tensor) -> GreyRange:
    """Of a structure painted as `mask` [H, W] on an `image` [H, W] in 0..1.

    From the first to the 99th percentile of the means over seven by seven pixels of the structure, and a tenth of the
    median more at both ends.
    """
    inside = mask > _INSIDE
    if not bool(inside.any()):
        return GreyRange(-torch.inf, torch.inf)
    shares = torch.tensor([_TAIL, 0.5, 1 - _TAIL], device=image.device)
    low, median, high = _local_means(image, inside)[inside].quantile(shares).tolist()
    return GreyRange(low - _MARGIN * median, high + _MARGIN * median)


def _local_means(image: Tensor, inside: Tensor) -> Tensor:
    """[H, W], over the pixels near each pixel that are inside."""
    weight = inside.float()
    both = torch.stack([image.float() * weight, weight])[:, None]
    total, share = functional.avg_pool2d(both, 2 * _RADIUS + 1, 1, _RADIUS)[:, 0]
    return total / (share + _LEAST_WEIGHT)
