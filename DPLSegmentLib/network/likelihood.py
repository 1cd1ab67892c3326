"""How much more a grey value belongs to a structure than to its surroundings (ours)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_BINS = 32
_COARSE, _REACH = 4, 6
_LIMIT = 3.0
_PRIOR = 0.003


def grey_table(image: Tensor, masks: Tensor) -> Tensor:
    """[n, 32] in -1..1: log likelihood ratio of 32 grey values for masks [n, H, W] on an image [H, W] in 0..1.

    The surroundings are what lies within about 25 pixels of a mask.
    """
    around = _grown(masks) * (1 - masks)
    bins = _bins(image).flatten()
    inside, outside = (_histogram(bins, weight) for weight in (masks, around))
    return (inside.log() - outside.log()).clamp(-_LIMIT, _LIMIT) / _LIMIT


def looked_up(table: Tensor, image: Tensor) -> Tensor:
    """[n, H, W]: what a `grey_table` says of each pixel of an image [H, W]."""
    return table[:, _bins(image)]


def local_means(image: Tensor) -> Tensor:
    """[H, W]: the mean of each pixel of an image [H, W] and its eight neighbours."""
    return functional.avg_pool2d(image[None, None], 3, 1, 1, count_include_pad=False)[0, 0]


def _grown(masks: Tensor) -> Tensor:
    coarse = functional.max_pool2d(masks[:, None], _COARSE)
    near = functional.max_pool2d(coarse, 2 * _REACH + 1, 1, _REACH)
    return functional.interpolate(near, scale_factor=float(_COARSE), mode="nearest")[:, 0]


def _bins(image: Tensor) -> Tensor:
    return (local_means(image) * (_BINS - 1)).round().long().clamp(0, _BINS - 1)


def _histogram(bins: Tensor, weights: Tensor) -> Tensor:
    """[n, 32] smoothed shares of the grey values of pixels weighted by [n, H, W]."""
    counts = torch.zeros(len(weights), _BINS, dtype=torch.float32, device=weights.device)
    counts.index_add_(1, bins, weights.flatten(1).float())
    smooth = functional.avg_pool1d(counts[:, None], 3, 1, 1)[:, 0]
    return smooth / (smooth.sum(1, keepdim=True) + 1e-6) + _PRIOR
