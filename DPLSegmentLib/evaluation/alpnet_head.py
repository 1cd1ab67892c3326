"""ALPNet's head: global and local prototypes of one painted slice, compared by cosine. Nothing is learned here.

Source: Ouyang et al., "Self-supervision with superpixels", ECCV 2020: windows of 2x2 pixels at stride 8, foreground
windows and their global mean against background windows, each at least 95 % pure.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.similarity import score

PURE = 0.95
WINDOW_PIXELS = 16
CHUNK = 16


def foreground_probability(support: Tensor, mask: Tensor, query: Tensor, stride: int) -> Tensor:
    """[n, h, w] in 0..1 for query features [n, C, h, w].

    `support` [C, h, w] are the painted slice's features, `mask` [h, w] in 0..1 what is painted of each of their pixels;
    `stride` is working-image pixels per feature pixel.
    """
    window = max(1, WINDOW_PIXELS // stride)
    mean = (support * mask).sum((1, 2)) / mask.sum().clamp(min=1e-6)
    foreground = torch.cat([mean[None], _pure_windows(support, mask, window)])
    background = _pure_windows(support, 1.0 - mask, window)
    return torch.cat([score(part.float(), foreground, background).probability for part in query.split(CHUNK)])


def _pure_windows(features: Tensor, mask: Tensor, window: int) -> Tensor:
    """[p, C]: the means of the windows that the mask fills; the fullest window when it fills none."""
    vectors = functional.avg_pool2d(features[None], window)[0].flatten(1).T
    share = functional.avg_pool2d(mask[None, None], window).flatten()
    return vectors[share >= min(PURE, float(share.max()))]
