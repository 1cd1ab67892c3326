"""How ragged the outline of a structure is (ours)."""

from __future__ import annotations

import math

from torch import Tensor

from DPLSegmentLib.network.prototypes import dilated

_INSIDE = 0.5


def raggedness(mask: Tensor) -> float:
    """Of a mask [h, w] the logarithm of the square of its border by its area; the rounder, the less."""
    inside = (mask > _INSIDE).float()
    border = dilated(inside, 1) - inside
    return math.log((float(border.sum()) + 1) ** 2 / (float(inside.sum()) + 1))
