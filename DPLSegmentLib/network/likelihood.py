"""How much more a grey value belongs to the structure than to its surroundings, judged by the last slice (ours)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_BINS = 32
_COARSE, _REACH = 4, 6
_LIMIT = 3.0
_PRIOR = 0.003


def likelihood_ratio(image: Tensor, last_image: Tensor, masks: Tensor) -> Tensor:
    """[n, H, W] in -1..1: log likelihood ratio of each pixel of `image` [H, W] for masks [n, H, W] on `last_image`.

    The surroundings are what lies within about 25 pixels of a mask. Grey values are in 0..1.
    """
    around = _grown(masks) * (1 - masks)
    before = _bins(last_image).flatten()
    inside, outside = (_histogram(before, weight) for weight in (masks, around))
    ratio = (inside.log() - outside.log()).clamp(-_LIMIT, _LIMIT) / _LIMIT
    return ratio[:, _bins(image)]


def _grown(masks: Tensor) -> Tensor:
    coarse = functional.max_pool2d(masks[:, None], _COARSE)
    near = functional.max_pool2d(coarse, 2 * _REACH + 1, 1, _REACH)
    return functional.interpolate(near, scale_factor=float(_COARSE), mode="nearest")[:, 0]


def _bins(image: Tensor) -> Tensor:
    smooth = functional.avg_pool2d(image[None, None], 3, 1, 1, count_include_pad=False)[0, 0]
    return (smooth * (_BINS - 1)).round().long().clamp(0, _BINS - 1)


def _histogram(bins: Tensor, weights: Tensor) -> Tensor:
    """[n, 32] smoothed shares of the grey values of pixels weighted by [n, H, W]."""
    counts = torch.zeros(len(weights), _BINS, dtype=torch.float32, device=weights.device)
    counts.index_add_(1, bins, weights.flatten(1).float())
    smooth = functional.avg_pool1d(counts[:, None], 3, 1, 1)[:, 0]
    return smooth / (smooth.sum(1, keepdim=True) + 1e-6) + _PRIOR
