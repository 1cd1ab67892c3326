"""What the sweeps from several found slices agree on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from DPLSegmentLib.propagation.consensus import Vote, agreed
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.sweep import Seed, SweptSlice

FIRST, LAST = 5, 24


@pytest.fixture(scope="module")
def here(kidney_embedding: Embedding) -> Tensor:
    """Where the structure is on every slice."""
    mask = torch.zeros(kidney_embedding.images.shape[1:])
    mask[20:60, 30:70] = 1
    return mask


@pytest.fixture(scope="module")
def elsewhere(here: Tensor) -> Tensor:
    """Where a neighbour is."""
    return torch.roll(here, 30, 1)


@pytest.fixture(scope="module")
def vote(kidney_embedding: Embedding) -> Callable[[int, Tensor, float], Vote]:
    """A sweep of slices 5 to 24 that holds on to the mask of its seed."""

    def cast(index: int, mask: Tensor, confidence: float = 0.6) -> Vote:
        one = Vote(kidney_embedding, Seed(index, mask, confidence))
        for other in range(FIRST, LAST + 1):
            if other != index:
                one.add(SweptSlice(other, mask, confidence, index, 1.0))
        return one

    return cast


Cast = Callable[..., Vote]


def test_one_that_strayed_is_outvoted_on_its_own_slice(
    vote: Cast, kidney_embedding: Embedding, here: Tensor, elsewhere: Tensor
) -> None:
    votes = [vote(8, here), vote(14, elsewhere, 0.95), vote(20, here)]
    blend = agreed(votes, kidney_embedding)
    for index in range(FIRST, LAST + 1):
        assert torch.equal((blend.total[index] > 0.5).float(), here)


def test_what_all_say_is_what_is_found(vote: Cast, kidney_embedding: Embedding, here: Tensor) -> None:
    blend = agreed([vote(8, here), vote(14, here), vote(20, here)], kidney_embedding)
    assert torch.allclose(blend.total[FIRST : LAST + 1].float(), here.expand(LAST + 1 - FIRST, -1, -1), atol=1e-3)
    assert torch.allclose(blend.confidence[FIRST : LAST + 1], torch.tensor(0.6))


def test_slices_that_nobody_reached_stay_empty(vote: Cast, kidney_embedding: Embedding, here: Tensor) -> None:
    blend = agreed([vote(8, here), vote(14, here)], kidney_embedding)
    reached = torch.zeros(kidney_embedding.count, dtype=torch.bool)
    reached[FIRST : LAST + 1] = True
    assert torch.equal(blend.visited, reached)
    assert not bool(blend.total[~reached].any()) and not bool(blend.confidence[~reached].any())


def test_of_two_that_differ_the_nearer_one_counts(
    vote: Cast, kidney_embedding: Embedding, here: Tensor, elsewhere: Tensor
) -> None:
    blend = agreed([vote(6, here), vote(22, elsewhere)], kidney_embedding)
    assert torch.equal((blend.total[7] > 0.5).float(), here)
    assert torch.equal((blend.total[21] > 0.5).float(), elsewhere)


def test_votes_for_nothing_give_nothing(vote: Cast, kidney_embedding: Embedding, here: Tensor) -> None:
    blend = agreed([vote(8, here * 0), vote(14, here * 0)], kidney_embedding)
    assert not bool(blend.total.any())


@given(confidences=st.lists(st.floats(0, 1), min_size=2, max_size=5), data=st.data())
def test_shares_lie_between_nothing_and_all(
    vote: Cast,
    kidney_embedding: Embedding,
    here: Tensor,
    elsewhere: Tensor,
    confidences: list[float],
    data: st.DataObject,
) -> None:
    masks = data.draw(st.lists(st.sampled_from([here, elsewhere]), min_size=len(confidences), max_size=5))
    votes = [vote(6 + 4 * n, mask, sure) for n, (mask, sure) in enumerate(zip(masks, confidences, strict=False))]
    blend = agreed(votes, kidney_embedding)
    assert float(blend.total.min()) >= 0 and float(blend.total.max()) <= 1
    assert float(blend.confidence.min()) >= 0 and float(blend.confidence.max()) <= 1 + 1e-6
