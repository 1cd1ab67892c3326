"""What is known on some slices, spread over those between them along what looks alike.

Label propagation (Zhu and Ghahramani 2002), ended after forty steps; ours: the graph joins each pixel with a window of
the slices before and after, by how alike their keys are.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.affinity import windows

_WINDOW = (2, "constant")
_SHARPNESS = 40.0
_STEPS = 40
_LEAST = 1e-9


def spread(keys: Tensor, values: Tensor, fixed: Tensor, check: Callable[[], None]) -> Tensor:
    """Values [n, h, w] of slices with unit vectors `keys` [n, c, h, w]. Slices that are `fixed` (bool [n]) stay; on all
    others each pixel becomes the mean of its neighbours on the slices beside it, weighted by exp(40 (cosine - 1)),
    forty times, beginning with `values`. Before each step `check` may raise.
    """
    after = _links(keys[:-1], keys[1:])
    before = _turned(after)
    total = _joined(before.sum(0), after.sum(0)) + _LEAST
    found, stays = values, fixed[:, None, None]
    for _ in range(_STEPS):
        check()
        taken = _joined(_taken(before, found[:-1]), _taken(after, found[1:])) / total
        found = torch.where(stays, values, taken)
    return found


def _links(keys: Tensor, others: Tensor) -> Tensor:
    """[25, n, h, w]: how much slices take from each place of the window on other ones."""
    cosines = torch.stack([(keys * near).sum(1) for near in windows(others, *_WINDOW)])
    return (_SHARPNESS * (cosines - 1)).exp()


def _turned(links: Tensor) -> Tensor:
    """The same of the other slices: they take as much as is taken from them."""
    return torch.stack([[*windows(each, *_WINDOW)][place] for place, each in enumerate(links.flip(0))])


def _taken(links: Tensor, values: Tensor) -> Tensor:
    """[n, h, w] from values [n, h, w] of the other slices."""
    taken = torch.zeros_like(values)
    for weight, near in zip(links, windows(values, *_WINDOW), strict=True):
        taken.addcmul_(weight, near)
    return taken


def _joined(before: Tensor, after: Tensor) -> Tensor:
    """[n, h, w] of what comes from before, of the second and later slices, and from after, of all but the last."""
    return functional.pad(before, (0, 0, 0, 0, 1, 0)) + functional.pad(after, (0, 0, 0, 0, 0, 1))
