"""What sweeps get wrong at the next painted slice, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.rehearsal import Rehearsal
from DPLSegmentLib.propagation.sweep import Blend, Seed, SweptSlice

FIRST, LAST = 6, 18
Found = Callable[[int], Tensor]


def disc(size: torch.Size, radius: float, softness: float = 2.0) -> Tensor:
    """Probabilities [H, W] of a disc whose edge is as soft as that."""
    rows, columns = torch.meshgrid(*(torch.arange(side) - side / 2 for side in size), indexing="ij")
    return ((radius - torch.hypot(rows, columns)) / softness).sigmoid()


@pytest.fixture(scope="module")
def truth(kidney_embedding: Embedding) -> Tensor:
    """What is painted, and really there on every slice."""
    return (disc(kidney_embedding.images.shape[1:], 15.0) > 0.5).float()


@pytest.fixture(scope="module")
def corrected(kidney_embedding: Embedding, truth: Tensor) -> Callable[[Found], Blend]:
    """Two painted slices and sweeps between them and beyond, which find on each slice what the test says."""

    def run(found: Found) -> Blend:
        seeds = [Seed(FIRST, truth), Seed(LAST, truth)]
        blend, rehearsal = Blend(kidney_embedding, seeds), Rehearsal(seeds)
        for origin, reached in ((FIRST, range(FIRST + 1, LAST + 1)), (LAST, range(LAST - 1, FIRST - 1, -1))):
            for index in reached:
                swept = SweptSlice(index, found(index), 0.9, origin, 1.0)
                (rehearsal if index in rehearsal.painted else blend).add(swept)
        blend.add(SweptSlice(LAST + 8, found(LAST + 8), 0.9, LAST, 1.0))
        rehearsal.correct(blend)
        return blend

    return run


Corrected = Callable[[Found], Blend]


def excess(blend: Blend, index: int, truth: Tensor) -> float:
    """By what share more is found on a slice than is there."""
    return float((blend.total[index] > 0.5).sum() / truth.sum()) - 1


@pytest.mark.parametrize("radius", [12.5, 14.0, 16.0, 17.5])
def test_what_arrives_too_large_or_too_small_is_put_right_between_and_beyond(
    corrected: Corrected, truth: Tensor, radius: float
) -> None:
    found = disc(truth.shape, radius)
    before = float((found > 0.5).sum() / truth.sum()) - 1
    blend = corrected(lambda index: found)
    for index in ((FIRST + LAST) // 2, LAST + 8):
        assert abs(excess(blend, index, truth)) < 0.7 * abs(before)


def test_a_leak_that_is_not_painted_is_closed_half_way(corrected: Corrected, truth: Tensor) -> None:
    leaking = disc(truth.shape, 15.0)
    leaking[:24, :24] = 0.7
    blend = corrected(lambda index: leaking)
    assert float(blend.total[(FIRST + LAST) // 2][:20, :20].max()) < 0.5
    assert abs(excess(blend, (FIRST + LAST) // 2, truth)) < 0.1


def test_painted_slices_stay_as_they_are(corrected: Corrected, truth: Tensor) -> None:
    blend = corrected(lambda index: disc(truth.shape, 18.0))
    assert torch.equal(blend.total[FIRST].float(), truth) and torch.equal(blend.total[LAST].float(), truth)


def test_where_nothing_was_swept_nothing_comes(corrected: Corrected, truth: Tensor) -> None:
    blend = corrected(lambda index: disc(truth.shape, 12.0))
    assert not blend.total[LAST + 9].any()


def test_what_never_arrives_at_another_painted_slice_is_left_alone(kidney_embedding: Embedding, truth: Tensor) -> None:
    found = disc(truth.shape, 18.0)
    seeds = [Seed(FIRST, truth)]
    blend = Blend(kidney_embedding, seeds)
    blend.add(SweptSlice(FIRST + 1, found, 0.9, FIRST, 1.0))
    before = blend.total.clone()
    Rehearsal(seeds).correct(blend)
    assert torch.equal(blend.total, before)


@pytest.mark.parametrize("back", [13.0, 17.0])
def test_a_single_painted_slice_learns_from_sweeps_that_return(
    kidney_embedding: Embedding, truth: Tensor, back: float
) -> None:
    found = disc(truth.shape, back)
    seeds = [Seed(FIRST, truth)]
    blend, rehearsal = Blend(kidney_embedding, seeds), Rehearsal(seeds)
    blend.add(SweptSlice(FIRST + 4, found, 0.9, FIRST, 1.0))
    before = excess(blend, FIRST + 4, truth)
    rehearsal.add(SweptSlice(FIRST, found, 0.9, FIRST, 1.0))
    rehearsal.correct(blend)
    assert abs(excess(blend, FIRST + 4, truth)) < abs(before)
    assert torch.equal(blend.total[FIRST].float(), truth)
