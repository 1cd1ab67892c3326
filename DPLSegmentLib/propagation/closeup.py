"""What is thin where it was painted is looked at more closely than the rest of the scan (ours).

The embedding has one vector for four by four working pixels: too few for the limbs of an adrenal gland.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from DPLSegmentLib.images.stack import MOST_UPSAMPLING, Box
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.painted import PaintedSlice

_WANTED = 12.0
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
    """Around the painted slices of a structure; None where it is thick enough as `embedding` shows it, or the scan has
    nothing finer to show.

    Up to twice as close, so that the largest disc inside of what is painted is 12 working pixels wide; voxels are
    enlarged 2.5 times at most. Boxes lie on a coarse grid: what is painted next to it is seen through the same one.
    """
    stack = embedding.stack
    width = max(_width_mm(each.native, stack.sides_mm) for each in painted) / stack.pixel_mm
    most = min(_MOST, stack.pixel_mm * MOST_UPSAMPLING / min(stack.sides_mm))
    factor = min(most, _WANTED / width) // _STEP * _STEP
    if factor < _LEAST:
        return None
    pixel = stack.pixel_mm / factor
    inside = np.logical_or.reduce([each.native for each in painted])
    limits = ((stack.box[0], stack.box[2]), (stack.box[1], stack.box[3]))
    spans = [
        _span(np.flatnonzero(inside.any(1 - axis)), round(_SIZE * pixel / side), limit)
        for axis, (side, limit) in enumerate(zip(stack.sides_mm, limits, strict=True))
    ]
    (top, bottom), (left, right) = spans
    return CloseUp(pixel, (top, left, bottom, right))


def _width_mm(mask: np.ndarray, sides: tuple[float, float]) -> float:
    """Of the largest disc inside of a mask [h, w]; distances to the first voxels outside are half a voxel too long."""
    return 2 * float(ndimage.distance_transform_edt(np.pad(mask, 1), sides).max()) - min(sides)


def _span(inside: np.ndarray, size: int, limit: tuple[int, int]) -> tuple[int, int]:
    """About `size` voxels around those inside, and at least half as much again as they take up."""
    first, last = int(inside[0]), int(inside[-1]) + 1
    size = min(max(size, (last - first) * 3 // 2), limit[1] - limit[0])
    grid = max(1, size // _GRID)
    start = round((first + last - size) / 2 / grid) * grid
    start = min(max(start, limit[0]), limit[1] - size)
    return start, start + size
