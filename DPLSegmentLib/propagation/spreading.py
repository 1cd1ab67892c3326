"""What is known on some slices, spread over those between them along what looks alike.

Label propagation (Zhu and Ghahramani 2002), ended after forty steps; ours: the graph joins each pixel with a window of
the slices before and after, by how alike their keys are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional

_RADIUS = 2
_SIDE = 2 * _RADIUS + 1
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
    """[(2 radius + 1)^2, n, h, w]: how much slices take from each place of the window on other ones."""
    cosines = torch.stack([(keys * near).sum(1) for near in _windows(others)])
    return (_SHARPNESS * (cosines - 1)).exp()


def _turned(links: Tensor) -> Tensor:
    """The same of the other slices: they take as much as is taken from them."""
    return torch.stack([_shifted(_padded(each), place) for place, each in enumerate(links.flip(0))])


def _taken(links: Tensor, values: Tensor) -> Tensor:
    """[n, h, w] from values [n, h, w] of the other slices."""
    taken = torch.zeros_like(values)
    for weight, near in zip(links, _windows(values), strict=True):
        taken.addcmul_(weight, near)
    return taken


def _joined(before: Tensor, after: Tensor) -> Tensor:
    """[n, h, w] of what comes from before, of the second and later slices, and from after, of all but the last."""
    return functional.pad(before, (0, 0, 0, 0, 1, 0)) + functional.pad(after, (0, 0, 0, 0, 0, 1))


def _windows(maps: Tensor) -> Iterator[Tensor]:
    """Maps [..., h, w] as seen from each place of the window; zeros beyond the border."""
    padded = _padded(maps)
    return (_shifted(padded, place) for place in range(_SIDE**2))


def _padded(maps: Tensor) -> Tensor:
    return functional.pad(maps, [_RADIUS] * 4)


def _shifted(padded: Tensor, place: int) -> Tensor:
    """What padded maps show at one place of the window."""
    row, column = divmod(place, _SIDE)
    height, width = (side - 2 * _RADIUS for side in padded.shape[-2:])
    return padded[..., row : row + height, column : column + width]
