"""A scan in coarse fields, by which two patients are laid along each other (ours)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.propagation.body import spans

if TYPE_CHECKING:
    from DPLSegmentLib.propagation.embedding import Embedding

STEP_MM = 5.0
"""Distance of the slices that are described."""

SIDE = 16
"""Into how many rows and columns the body is divided."""


def fields_of(embedding: Embedding) -> Tensor:
    """[n, C, 16, 16], half precision: every 5 mm of a scan, the embedding's mean over each field of a grid that lies
    over the body."""
    rows, columns = spans(embedding.body, STRIDE, embedding.features.shape[-2:])
    steps = max(1, int(embedding.count * embedding.stack.gap_mm / STEP_MM))
    indices = (torch.arange(steps) * STEP_MM / embedding.stack.gap_mm).round().long().clamp(max=embedding.count - 1)
    return torch.stack(
        [
            functional.adaptive_avg_pool2d(embedding.standardised(index)[:, rows, columns], SIDE).half()
            for index in indices.tolist()
        ]
    )
