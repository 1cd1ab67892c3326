"""From evidence to a mask at full working resolution, and whether the structure is there at all (ours)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

CUES = 8
"""Channels of `Evidence.cues`: foreground and background cosine, DPL probability, carried mask, last mask, location
prior, slice gap, and 1 where there is no last slice."""

IMAGES = 3
"""Channels of `Evidence.images`: this slice, the last slice, the last mask."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """For n structures on a slice each: `images` [n, 3, H, W], `features` [n, C, H/4, W/4], `cues` [n, 8, H/4, W/4]."""

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
        self.presence = nn.Sequential(nn.Linear(2 * 96, 48), nn.ReLU(), nn.Linear(48, 1))

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
        logits = self.full(torch.cat([_double(half), images], 1))[:, 0]
        summary = torch.cat([third.mean((2, 3)), third.amax((2, 3))], 1)
        return logits, self.presence(summary)[:, 0]


def _convolution(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inside, outside, 3, stride, 1), nn.ReLU())


def _double(image: Tensor) -> Tensor:
    return functional.interpolate(image, scale_factor=2.0, mode="bilinear", align_corners=False)
