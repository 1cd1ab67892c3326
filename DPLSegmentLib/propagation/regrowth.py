"""A cross-section that shrank and then grows again usually belongs to a neighbour the sweep has strayed into (ours)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

_SHRUNK = 0.7
_GROWN = 1.5
_LEAST_GROWTH = 20


def kept_slices(areas: Tensor, first: int, last: int) -> Tensor:
    """bool [n]: slices to keep of cross-sections `areas` [n] in pixels, outward from the seeds `first` and `last`.

    A side ends at its smallest slice once the area, having shrunk below 0.7 of its largest, grows by half again.
    """
    sizes, kept = areas.tolist(), torch.ones(len(areas), dtype=torch.bool)
    above = _end(sizes, range(last, len(sizes)))
    below = _end(sizes, range(first, -1, -1))
    kept[above + 1 :] = False
    kept[:below] = False
    return kept


def _end(sizes: list[float], outward: Iterable[int]) -> int:
    """The last slice to keep along `outward`."""
    largest, smallest, end, index = 0.0, float("inf"), 0, 0
    for index in outward:
        size = sizes[index]
        if smallest < _SHRUNK * largest and size > _GROWN * smallest + _LEAST_GROWTH:
            return end
        if size > largest:
            largest, smallest, end = size, size, index
        elif size <= smallest:
            smallest, end = size, index
    return index
