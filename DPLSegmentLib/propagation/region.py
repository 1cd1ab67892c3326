"""The part of a slice that one step looks at."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_MULTIPLE = 32
_SMALLEST = 128
_MARGIN = 24
_MARGIN_SHARE = 0.2
_INSIDE = 0.3


@dataclass(frozen=True)
class Region:
    """Rows top..bottom-1 and columns left..right-1."""

    top: int
    left: int
    bottom: int
    right: int

    def scaled(self, stride: int) -> Region:
        """The same place on a map that is `stride` times smaller."""
        return Region(self.top // stride, self.left // stride, self.bottom // stride, self.right // stride)

    def cut(self, image: Tensor) -> Tensor:
        """That part of the last two axes."""
        return image[..., self.top : self.bottom, self.left : self.right]

    def paste(self, part: Tensor, like: Tensor) -> Tensor:
        """A map of the shape of `like` [H, W], zero outside the region."""
        whole = torch.zeros_like(like)
        self.cut(whole).copy_(part)
        return whole


def region_around(mask: Tensor) -> Region:
    """A region around what is above 0.3 in a mask [H, W], sides multiples of 32 that fit into it, at least 128."""
    height, width = mask.shape
    inside = mask > _INSIDE
    rows, columns = (ends(inside.any(1 - axis)) for axis in range(2))
    if not rows or not columns:
        return Region(0, 0, height, width)
    (top, bottom), (left, right) = _span(*rows, height), _span(*columns, width)
    return Region(top, left, bottom, right)


def around(mask: Tensor, margin: int) -> Region:
    """What is true in a mask [H, W], and up to `margin` pixels more on every side; a corner where nothing is."""
    (top, bottom), (left, right) = (ends(mask.any(1 - axis)) or (0, 1) for axis in range(2))
    height, width = mask.shape
    return Region(max(0, top - margin), max(0, left - margin), min(height, bottom + margin), min(width, right + margin))


def ends(line: Tensor) -> tuple[int, int] | None:
    """The first place of a bool line [n] that is true, and the one after the last; None where none is."""
    found = line.nonzero().flatten()
    return (int(found[0]), int(found[-1]) + 1) if len(found) else None


def _span(first: int, last: int, limit: int) -> tuple[int, int]:
    size = last - first
    size += 2 * max(_MARGIN, int(_MARGIN_SHARE * size))
    size = min(limit, max(_SMALLEST, -(-size // _MULTIPLE) * _MULTIPLE))
    start = ((first + last - size) // 2) // 4 * 4
    start = min(max(0, start), limit - size)
    return start, start + size
