"""The lesson of the recogniser: views of scans, and which structures they show (ours)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.network.recogniser import Recogniser
from DPLSegmentLib.training.fresh_views import Views
from DPLSegmentLib.training.known_views import KnownView, any_range, mostly_drawn, shares_of

PART = (16, 48, 48)
"""Slices, rows and columns of the embedding that a CPU looks at in one step."""

WHOLE = (48, 64, 64)
"""The same of a graphics card: all of a fresh view."""

_SHORT = (0.1, 3)
_NOTHING = 0.3
_CROSS = 2.0
_SMOOTH = 1.0
_DROPPED, _OFFSET, _MOVED = 0.1, 0.15, 0.05


class RecognitionLesson:
    """Draws a part of a view, at `most` so large, for each step."""

    def __init__(self, recogniser: Recogniser, views: Views, most: tuple[int, int, int] = PART) -> None:
        self.recogniser = recogniser
        self.views = views
        self.most = most
        self.device = recogniser.leave.weight.device

    def losses(self, generator: np.random.Generator) -> Mapping[str, Tensor]:
        """Cross entropy, in which what is known counts most, and 1 - soft Dice of the structures that are there."""
        scan, view = self.views.draw(generator)
        features, slices, places, labels = self._stretch(view, generator)
        moved = torch.from_numpy(generator.normal(0, _MOVED, (2, 1, 1)).astype(np.float32)).to(places)
        logits = self.recogniser(_disturbed(features, generator), places + moved, slices)
        return recognition_losses(logits, labels, scan.maybe)

    def _stretch(self, view: KnownView, generator: np.random.Generator) -> tuple[Tensor, ...]:
        """Features, slices, places and labels; some of the times of three slices, as the engine looks at first."""
        most, *sides = self.most
        short, few = _SHORT
        drawn = view.labels[:, ::STRIDE, ::STRIDE].flatten(1).any(1)
        n = mostly_drawn(drawn, few if generator.random() < short else most, generator)
        rows, columns = (
            any_range(count, side, generator) for count, side in zip(view.features.shape[-2:], sides, strict=True)
        )
        inside = tuple(slice(side.start * STRIDE, side.stop * STRIDE) for side in (rows, columns))
        parts = (
            view.features[n, :, rows, columns],
            view.slices[n, *inside],
            view.places[:, rows, columns],
            view.labels[n, *inside],
        )
        return tuple(part.to(self.device).float() for part in parts)


def recognition_losses(logits: Tensor, labels: Tensor, maybe: Tensor) -> dict[str, Tensor]:
    """`logits` [n, 1 + k, h, w] of slices whose `labels` [n, 2h, 2w] tell 1 + the number of a structure; what is
    `maybe` (bool [k]) there without being drawn is as good as nothing."""
    counts = torch.bincount(labels.flatten().long(), minlength=1 + len(maybe))
    there = ((counts[1:] > 0) & ~maybe).nonzero()[:, 0]
    undrawn, logits = torch.cat([maybe.new_ones(1), maybe]), logits.float()
    nothing = logits[:, undrawn].logsumexp(1, keepdim=True)
    logs = torch.cat([nothing, logits[:, 1 + there]], 1) - logits.logsumexp(1, keepdim=True)
    shares, chances = shares_of(labels, there.tolist()), logs[:, 1:].exp()
    weights = torch.ones(logs.shape[1], device=logits.device)
    weights[0] = _NOTHING
    weighted = shares * weights[:, None, None]
    found, drawn = chances.sum((0, 2, 3)), shares[:, 1:].sum((0, 2, 3))
    overlap = (chances * shares[:, 1:]).sum((0, 2, 3))
    dice = (2 * overlap + _SMOOTH) / (found + drawn + _SMOOTH)
    missed = (1 - dice).sum() / max(1, len(there))
    return {"cross entropy": -_CROSS * (weighted * logs).sum() / weighted.sum(), "dice": missed}


def _disturbed(features: Tensor, generator: np.random.Generator) -> Tensor:
    """Every channel a little brighter or darker everywhere; half of the times a tenth of the channels is missing."""
    channels = (1, features.shape[1], 1, 1)
    if generator.random() < 0.5:
        features = features * torch.from_numpy(generator.random(channels) > _DROPPED).to(features)
    return features + torch.from_numpy(generator.normal(0, _OFFSET, channels).astype(np.float32)).to(features)
