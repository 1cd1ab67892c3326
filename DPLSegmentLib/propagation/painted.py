"""What was painted, slice by slice, in the network's terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from DPLSegmentLib.images.axes import painted_indices
from DPLSegmentLib.images.segmentation import Segment
from DPLSegmentLib.network.evidence import shrink
from DPLSegmentLib.propagation.embedding import Embedding


@dataclass(frozen=True, eq=False)
class PaintedSlice:
    """One painted slice of one structure: its index and masks, `native` bool [h, w] and `working` float [H, W]."""

    index: int
    native: np.ndarray
    working: Tensor

    @property
    def small(self) -> Tensor:
        """[h, w] at the embedding's stride; a structure too small for it keeps at least its centre."""
        mask = shrink(self.working[None])[0]
        return mask / mask.max() if 0 < float(mask.max()) < 0.5 else mask


def painted_slices(segment: Segment, axis: int, embedding: Embedding) -> list[PaintedSlice]:
    """The slices along `axis` on which the segment is painted, in order."""
    slices = []
    for index in painted_indices(segment.mask, axis):
        native = embedding.stack.native_slice(segment.mask, index)
        working = torch.from_numpy(embedding.stack.slice_to_working(native)).to(embedding.images.device)
        slices.append(PaintedSlice(index, native, working))
    return slices
