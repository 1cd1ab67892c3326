"""The lesson of the recogniser: stretches of embedded slices, and which structures they show (ours)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.recogniser import Recogniser
from DPLSegmentLib.training.known_views import KnownView

_STRETCH = (16, 48, 48)
_NOTHING = 0.3
_CROSS = 2.0
_SMOOTH = 1.0
_DROPPED, _OFFSET, _MOVED = 0.1, 0.15, 0.05

Stretch = tuple[Tensor, Tensor, Tensor]


class RecognitionLesson:
    """Draws a part of a view for each step."""

    def __init__(self, recogniser: Recogniser, views: Sequence[KnownView]) -> None:
        self.recogniser = recogniser
        self.views = views
        self.device = recogniser.leave.weight.device

    def losses(self, generator: np.random.Generator) -> Mapping[str, Tensor]:
        """Cross entropy, in which what is known counts most, and 1 - soft Dice of the structures that are there."""
        features, shares, places = self._stretch(generator)
        logits = self.recogniser(
            _disturbed(features, generator), places + _normal((2, 1, 1), _MOVED, generator).to(places)
        )
        nothing = (1 - shares.sum(1, keepdim=True)).clamp(min=0)
        return _losses(logits, torch.cat([nothing, shares], 1))

    def _stretch(self, generator: np.random.Generator) -> Stretch:
        """Features, shares and places of up to 16 slices and 48 by 48 embedding pixels of one view."""
        view = self.views[int(generator.integers(len(self.views)))]
        starts = (
            int(generator.integers(max(1, count - most + 1)))
            for count, most in zip(np.array(view.features.shape)[[0, 2, 3]], _STRETCH, strict=True)
        )
        n, rows, columns = (slice(start, start + most) for start, most in zip(starts, _STRETCH, strict=True))
        parts = (view.features[n, :, rows, columns], view.shares[n, :, rows, columns], view.places[:, rows, columns])
        features, shares, places = (torch.from_numpy(np.array(part, np.float32)).to(self.device) for part in parts)
        return features, shares, places


def _losses(logits: Tensor, shares: Tensor) -> dict[str, Tensor]:
    """`shares` [n, 1 + k, h, w] add up to one."""
    logs = functional.log_softmax(logits, 1)
    weights = torch.ones(logits.shape[1], device=logits.device)
    weights[0] = _NOTHING
    weighted = shares * weights[:, None, None]
    found, there = logs.exp().sum((0, 2, 3))[1:], shares.sum((0, 2, 3))[1:]
    overlap = (logs.exp() * shares).sum((0, 2, 3))[1:]
    dice = (2 * overlap + _SMOOTH) / (found + there + _SMOOTH)
    missed = (1 - dice[there > 0]).mean() if bool((there > 0).any()) else logits.sum() * 0
    return {"cross entropy": -_CROSS * (weighted * logs).sum() / weighted.sum(), "dice": missed}


def _disturbed(features: Tensor, generator: np.random.Generator) -> Tensor:
    """Every channel a little brighter or darker everywhere; half of the times a tenth of the channels is missing."""
    channels = (1, features.shape[1], 1, 1)
    if generator.random() < 0.5:
        features = features * torch.from_numpy(generator.random(channels) > _DROPPED).to(features)
    return features + _normal(channels, _OFFSET, generator).to(features)


def _normal(shape: tuple[int, ...], deviation: float, generator: np.random.Generator) -> Tensor:
    return torch.from_numpy(generator.standard_normal(shape, np.float32)) * deviation
