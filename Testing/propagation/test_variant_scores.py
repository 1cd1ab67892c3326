"""What DPL alone says of the pixels of a result."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from DPLSegmentLib.network.evidence import shrink
from DPLSegmentLib.network.network import Enhancement
from DPLSegmentLib.network.prototypes import Prototypes
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.types import Cancelled
from DPLSegmentLib.propagation.variant_scores import VariantScores

PAINTED = 12


@pytest.fixture(scope="module")
def kidney(kidney_embedding: Embedding, kidney_mask: np.ndarray) -> Tensor:
    """The true kidney in working pixels."""
    return torch.stack([torch.from_numpy(kidney_embedding.stack.slice_to_working(plane)) for plane in kidney_mask])


@pytest.fixture(scope="module")
def variants(engine: Engine, kidney_embedding: Embedding, kidney: Tensor) -> list[Prototypes]:
    """Those of the kidney's prototypes on one slice."""
    plain = engine.network.extract(kidney_embedding.standardised(PAINTED), shrink(kidney[PAINTED][None])[0])
    return engine.network.varied(plain, Enhancement())


def test_variants_score_the_structure_higher_than_what_lies_around_it(
    variants: list[Prototypes], kidney_embedding: Embedding, kidney: Tensor
) -> None:
    scores = VariantScores(variants, kidney_embedding, lambda: None).around(kidney)
    assert scores.shape == kidney.shape and float(scores.min()) >= 0 and float(scores.max()) <= 1
    near = slice(PAINTED - 2, PAINTED + 3)
    inside, outside = (float(scores[near][mask].float().mean()) for mask in (kidney[near] > 0.9, kidney[near] < 0.1))
    assert inside > 0.3 > 0.03 > outside


def test_where_nothing_is_nothing_is_scored(
    variants: list[Prototypes], kidney_embedding: Embedding, kidney: Tensor
) -> None:
    faint = torch.where(torch.arange(len(kidney))[:, None, None] == PAINTED, kidney, 0.2 * kidney)
    scores = VariantScores(variants, kidney_embedding, lambda: None).around(faint)
    assert scores.amax((1, 2)).nonzero().flatten().tolist() == [PAINTED]


def test_scoring_is_left_when_it_is_cancelled(
    variants: list[Prototypes], kidney_embedding: Embedding, kidney: Tensor
) -> None:
    def cancel() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        VariantScores(variants, kidney_embedding, cancel).around(kidney)
