"""What is small where it was painted is looked at more closely than the rest of the scan (ours).

The embedding has one vector for four by four working pixels: too few for an adrenal gland or a nerve.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DPLSegmentLib.images.stack import Box
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.painted import PaintedSlice

_WANTED_DIAMETER = 24.0
_MOST, _LEAST = 2.0, 1.25
_STEP = 0.25
_SIZE = 192
_GRID = 8


@dataclass(frozen=True)
class CloseUp:
    """Working pixels of `pixel_mm`, and the part of every slice that is looked at through them, in voxels in plane."""

    pixel_mm: float
    box: Box


def close_up(painted: Sequence[PaintedSlice], embedding: Embedding) -> CloseUp | None:
    """Around the painted slices of a structure; None where they are large enough as `embedding` shows them.

    Up to twice as close, so that the largest cross-section has the area of a disc of up to 24 working pixels. Boxes lie
    on a coarse grid: what is painted next to it is seen through the same one.
    """
    diameter = 2 * math.sqrt(max(float(each.working.sum()) for each in painted) / math.pi)
    factor = min(_MOST, _WANTED_DIAMETER / max(diameter, 1.0)) // _STEP * _STEP
    if factor < _LEAST:
        return None
    stack = embedding.stack
    pixel = stack.pixel_mm / factor
    inside = np.logical_or.reduce([each.native for each in painted])
    limits = ((stack.box[0], stack.box[2]), (stack.box[1], stack.box[3]))
    spans = [
        _span(np.flatnonzero(inside.any(1 - axis)), round(_SIZE * pixel / side), limit)
        for axis, (side, limit) in enumerate(zip(stack.sides_mm, limits, strict=True))
    ]
    (top, bottom), (left, right) = spans
    return CloseUp(pixel, (top, left, bottom, right))


def _span(inside: np.ndarray, size: int, limit: tuple[int, int]) -> tuple[int, int]:
    """About `size` voxels around those inside, and at least half as much again as they take up."""
    first, last = int(inside[0]), int(inside[-1]) + 1
    size = min(max(size, (last - first) * 3 // 2), limit[1] - limit[0])
    grid = max(1, size // _GRID)
    start = round((first + last - size) / 2 / grid) * grid
    start = min(max(start, limit[0]), limit[1] - size)
    return start, start + size
