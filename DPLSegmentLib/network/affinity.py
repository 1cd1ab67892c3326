"""Carries a mask from one slice to the next: each pixel asks its neighbourhood in the last slice what it was.

In the manner of Sli2Vol (Yeung et al. 2021); ours: a learned projection of the shared embedding.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional


class LocalAffinity(nn.Module):
    """Attention from the current slice to a window of (2 radius + 1)^2 embedding pixels of the last one."""

    def __init__(self, channels: int, inner: int = 32, radius: int = 3) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, inner, 1)
        self.scale = nn.Parameter(torch.tensor(10.0))
        self.radius = radius

    def forward(self, current: Tensor, last: Tensor, masks: Tensor) -> Tensor:
        """Embeddings [n, C, h, w] of both slices and `masks` [n, m, h, w] of the last one to masks on the current."""
        return self.carried(self.keys(current), self.keys(last), masks)

    def carried(self, query: Tensor, key: Tensor, masks: Tensor) -> Tensor:
        """The same from the `keys` of both slices."""
        cosines = torch.stack([(query * near).sum(1) for near in windows(key, self.radius, "replicate")], 1)
        weights = (self.scale * cosines).softmax(1)
        return (weights[:, None] * torch.stack([*windows(masks, self.radius, "replicate")], 2)).sum(2)

    def keys(self, features: Tensor) -> Tensor:
        """Embeddings [n, C, h, w] to unit vectors [n, inner, h, w]: what is the same on two slices points one way."""
        return functional.normalize(self.project(features), dim=1)


def windows(maps: Tensor, radius: int, mode: str) -> Iterator[Tensor]:
    """Maps [..., h, w] as seen from each place of a window of (2 radius + 1)^2 pixels, row by row; beyond the border
    they are padded as `mode` says (see `functional.pad`)."""
    height, width = maps.shape[-2:]
    padded = functional.pad(maps, [radius] * 4, mode=mode)
    for row in range(2 * radius + 1):
        for column in range(2 * radius + 1):
            yield padded[..., row : row + height, column : column + width]
