"""What DPL alone says of every pixel of a result, to tell how sure it is (ours; the paper segments by its variants)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.network.evidence import grown
from DPLSegmentLib.network.prototypes import Prototypes
from DPLSegmentLib.network.similarity import score
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.region import Region, region_around

_LEAST = 0.3


class VariantScores:
    """The mean score of several sets of prototypes, each with one variant of every prototype; before each slice `check`
    is called, which may raise Cancelled."""

    def __init__(self, variants: Sequence[Prototypes], embedding: Embedding, check: Callable[[], None]) -> None:
        self.variants = variants
        self.embedding = embedding
        self.check = check

    @torch.inference_mode()
    def around(self, probability: Tensor) -> Tensor:
        """float16 [n, H, W] in 0..1, around what is above 0.3 in a probability [n, H, W], 0 elsewhere."""
        scores = torch.zeros_like(probability, dtype=torch.float16)
        for index in (probability.amax((1, 2)) > _LEAST).nonzero().flatten().tolist():
            self.check()
            region = region_around(probability[index])
            region.cut(scores[index]).copy_(self._mean(index, region.scaled(STRIDE)))
        return scores

    def _mean(self, index: int, small: Region) -> Tensor:
        features = self.embedding.standardised(index, small)[None]
        each = [score(features, one.foreground, one.background).probability for one in self.variants]
        return grown(torch.stack(each).mean(0))[0]
