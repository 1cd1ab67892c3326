"""Slices in a row."""

from __future__ import annotations

from torch import Tensor


def stretch_around(there: Tensor, first: int, last: int) -> tuple[int, int]:
    """First and last slice of those in a row that are `there` (bool [n]), on either side of `first` to `last`."""
    present = there.tolist()
    while first > 0 and present[first - 1]:
        first -= 1
    while last + 1 < len(present) and present[last + 1]:
        last += 1
    return first, last
