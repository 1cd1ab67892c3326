"""From evidence to a mask at full working resolution, and whether the structure is there at all (ours).

The decoder corrects: untrained it returns the carried mask moved a little towards the DPL score.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

CUES = 10
"""Channels of `Evidence.cues`: foreground and background cosine, DPL probability, carried mask, last mask, location
prior, slice gap, 1 where there is no last slice, traced mask, and the way from the slice that the sweep began from."""

IMAGES = 5
"""Channels of `Evidence.images`: this slice, the last slice, the last mask, and the grey value's likelihood ratio by
the last slice and by the slice that the sweep began from."""

_PROBABILITY, _CARRIED, _LAST, _ALONE, _TRACED = 2, 3, 4, 7, 8
_LIKELIHOOD, _ANCHOR = 3, 4
_SIGNS = 6
_LEAST = 0.02


@dataclass(frozen=True, eq=False)
class Evidence:
    """Of n structures on a slice each: `images` [n, 5, H, W], `features` [n, C, H/4, W/4], `cues` [n, 10, H/4, W/4]."""

    images: Tensor
    features: Tensor
    cues: Tensor


class Decoder(nn.Module):
    """A small U-Net below stride 4 with a skip from the images; H and W are multiples of 16."""

    def __init__(self, channels: int, width: int = 32) -> None:
        super().__init__()
        self.half_scale = _convolution(IMAGES, 16, 2)
        self.quarter_scale = _convolution(16, 24, 2)
        self.reduce = nn.Conv2d(channels, width, 1)
        self.enter = _convolution(24 + width + CUES, 48)
        self.first = _convolution(48, 48)
        self.second = nn.Sequential(_convolution(48, 64, 2), _convolution(64, 64))
        self.third = nn.Sequential(_convolution(64, 96, 2), _convolution(96, 96))
        self.rise_third = nn.Conv2d(96, 64, 1)
        self.join_second = _convolution(64, 64)
        self.rise_second = nn.Conv2d(64, 48, 1)
        self.join_first = _convolution(48, 48)
        self.rise_first = nn.Conv2d(48, 16, 1)
        self.join_half = _convolution(16, 16)
        self.full = nn.Sequential(_convolution(16 + IMAGES, 8), nn.Conv2d(8, 1, 3, 1, 1))
        self.presence = nn.Sequential(nn.Linear(2 * 96 + _SIGNS, 48), nn.ReLU(), nn.Linear(48, 1))
        self.trust = nn.Parameter(torch.tensor([1.0, 0.15, 0.15]))
        nn.init.zeros_(self.full[-1].weight)
        nn.init.zeros_(self.full[-1].bias)

    def forward(self, evidence: Evidence) -> tuple[Tensor, Tensor]:
        """Mask logits [n, H, W] and presence logits [n]."""
        images = evidence.images.contiguous(memory_format=torch.channels_last)
        half = self.half_scale(images)
        first = self.enter(torch.cat([self.quarter_scale(half), self.reduce(evidence.features), evidence.cues], 1))
        first = first + self.first(first)
        second = self.second(first)
        third = self.third(second)
        second = self.join_second(second + _double(self.rise_third(third)))
        first = self.join_first(first + _double(self.rise_second(second)))
        half = self.join_half(half + _double(self.rise_first(first)))
        correction = self.full(torch.cat([_double(half), images], 1))
        logits = (_grown(self._base(evidence.cues)) + correction)[:, 0]
        summary = torch.cat([third.mean((2, 3)), third.amax((2, 3)), _signs(evidence, logits)], 1)
        return logits, self.presence(summary)[:, 0]

    def _base(self, cues: Tensor) -> Tensor:
        """What is corrected: the log odds of the carried mask and of DPL, or of DPL alone without a last slice."""
        score = _log_odds(cues[:, _PROBABILITY])
        carried = self.trust[0] * _log_odds(cues[:, _CARRIED]) + self.trust[1] * score
        return torch.where(cues[:, _ALONE] > 0.5, self.trust[2] * score, carried)[:, None]


def _signs(evidence: Evidence, logits: Tensor) -> Tensor:
    """[n, 6] that tell whether a structure ends: the highest carried probability, the mean DPL probability and the
    mean likelihood ratio where it was carried to, how much larger or smaller it has become (log), the mean likelihood
    ratio by the slice that the sweep began from, and the mean of the traced mask."""
    cues = evidence.cues
    weight = torch.where(cues[:, _ALONE] > 0.5, cues[:, _PROBABILITY], cues[:, _CARRIED])
    total = weight.sum((1, 2)) + _LEAST
    pooled = functional.avg_pool2d(evidence.images[:, [_LIKELIHOOD, _ANCHOR]], 4)
    probability = (weight * cues[:, _PROBABILITY]).sum((1, 2)) / total
    ratio, known = ((weight[:, None] * pooled).sum((2, 3)) / total[:, None]).unbind(1)
    area = functional.avg_pool2d(logits.detach().sigmoid(), 4).sum((1, 2)) + 1
    growth = area.log() - (cues[:, _LAST].sum((1, 2)) + 1).log()
    traced = (weight * cues[:, _TRACED]).sum((1, 2)) / total
    return torch.stack([weight.amax((1, 2)), probability, ratio, growth, known, traced], 1)


def _log_odds(probability: Tensor) -> Tensor:
    return torch.logit(probability.float(), eps=_LEAST)


def _grown(image: Tensor) -> Tensor:
    return functional.interpolate(image, scale_factor=4.0, mode="bilinear", align_corners=False)


def _convolution(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inside, outside, 3, stride, 1), nn.ReLU())


def _double(image: Tensor) -> Tensor:
    return functional.interpolate(image, scale_factor=2.0, mode="bilinear", align_corners=False)
