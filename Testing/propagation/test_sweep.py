"""The sweep by itself, led by a stepper that does what the test says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.network.evidence import Memory
from DPLSegmentLib.network.network import Enhancement
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.painted import painted_slices
from DPLSegmentLib.propagation.steps import AffinityStep, DecoderStep, Step, margin_of, soft_dice
from DPLSegmentLib.propagation.sweep import Blend, Seed, Sweep, SweepRange, SweptSlice, quality

Stepped = tuple[int, int]


class Follower:
    """Carries the mask on unchanged while a slice is one of `there`; remembers from where to where it went."""

    def __init__(self, there: range) -> None:
        self.there = there
        self.steps: list[Stepped] = []

    def begin(self, embedding: Embedding, index: int, mask: Tensor) -> Memory:
        """See `Stepper.begin`."""
        return Memory(torch.zeros(0), torch.zeros(0), torch.zeros(0))

    def step(self, embedding: Embedding, index: int, last: int, mask: Tensor, memory: Memory) -> Step:
        """See `Stepper.step`."""
        self.steps.append((last, index))
        return Step(mask, float(index in self.there), 1.0, 1.0)


@pytest.fixture
def square(kidney_embedding: Embedding) -> Tensor:
    """A mask on a slice of the crop."""
    mask = torch.zeros(kidney_embedding.images.shape[1:])
    mask[20:60, 30:70] = 1
    return mask


@pytest.fixture
def swept(kidney_embedding: Embedding) -> Callable[[Follower, SweepRange, list[Seed]], list[SweptSlice]]:
    """Runs a sweep over the crop."""

    def run(stepper: Follower, reach: SweepRange, seeds: list[Seed]) -> list[SweptSlice]:
        return list(Sweep(stepper, kidney_embedding, reach).run(seeds))

    return run


Swept = Callable[[Follower, SweepRange, list[Seed]], list[SweptSlice]]


def test_a_sweep_ends_where_the_structure_ends(swept: Swept, square: Tensor) -> None:
    slices = swept(Follower(range(8, 19)), SweepRange(0, 29), [Seed(12, square)])
    assert sorted(each.index for each in slices if each.present) == [*range(8, 12), *range(13, 19)]
    assert max(each.index for each in slices) <= 20 and min(each.index for each in slices) >= 6


def test_a_short_gap_is_crossed_from_the_last_slice_that_was_seen_and_filled(swept: Swept, square: Tensor) -> None:
    class Gapped(Follower):
        def step(self, embedding: Embedding, index: int, last: int, mask: Tensor, memory: Memory) -> Step:
            found = super().step(embedding, index, last, mask, memory)
            return Step(mask, 0.0, 1.0, 1.0) if index == 15 else found

    stepper = Gapped(range(12, 19))
    present = [each.index for each in swept(stepper, SweepRange(0, 29), [Seed(13, square)]) if each.present]
    assert present == [14, 12, 15, 16, 17, 18]
    assert (14, 16) in stepper.steps


def test_a_guide_says_what_a_sweep_goes_on_from_and_not_what_it_tells(
    kidney_embedding: Embedding, square: Tensor
) -> None:
    class Halving(Follower):
        def step(self, embedding: Embedding, index: int, last: int, mask: Tensor, memory: Memory) -> Step:
            return Step(super().step(embedding, index, last, mask, memory).probability * 0.75, 1.0, 1.0, 1.0)

    sweep = Sweep(Halving(range(30)), kidney_embedding, SweepRange(10, 20), guide=lambda _, __: square)
    assert all(float(each.probability.max()) == 0.75 for each in sweep.run([Seed(12, square)]))


def test_slices_missed_before_the_scan_ends_stay_empty(swept: Swept, square: Tensor) -> None:
    slices = swept(Follower(range(12, 29)), SweepRange(12, 29), [Seed(20, square)])
    assert {each.index for each in slices} == {*range(12, 30)} - {20}
    assert [each.index for each in slices if not each.present] == [29]


def test_a_tube_is_followed_where_presence_alone_would_end_it(swept: Swept, square: Tensor) -> None:
    class Faint(Follower):
        def step(self, embedding: Embedding, index: int, last: int, mask: Tensor, memory: Memory) -> Step:
            super().step(embedding, index, last, mask, memory)
            return Step(mask, 0.4, 1.0, 1.0)

    small = torch.zeros_like(square)
    small[30:40, 40:50] = 1
    seen = {each.index for each in swept(Faint(range(0)), SweepRange(0, 29), [Seed(12, small)]) if each.present}
    assert seen == {*range(30)} - {12}
    assert not any(each.present for each in swept(Faint(range(0)), SweepRange(0, 29), [Seed(12, square)]))


def test_where_a_sweep_ends_what_it_saw_counts_by_half_of_how_near_it_came(
    swept: Swept, kidney_embedding: Embedding, square: Tensor
) -> None:
    class Fading(Follower):
        def step(self, embedding: Embedding, index: int, last: int, mask: Tensor, memory: Memory) -> Step:
            super().step(embedding, index, last, mask, memory)
            return Step(mask, 0.9 if index < 15 else 0.4, 1.0, 1.0)

    blend = Blend(kidney_embedding, [Seed(12, square)])
    for each in swept(Fading(range(0)), SweepRange(0, 29), [Seed(12, square)]):
        blend.add(each)
    assert float(blend.total[14].max()) == 1.0
    assert float(blend.total[15].max()) == pytest.approx(0.5 * 0.4 / 0.5, abs=0.01)


def test_in_a_certain_range_every_slice_is_visited(swept: Swept, square: Tensor) -> None:
    slices = swept(Follower(range(0)), SweepRange(5, 20, certain=True), [Seed(12, square)])
    assert sorted(each.index for each in slices) == [*range(5, 12), *range(13, 21)]
    assert all(each.present for each in slices)


def test_between_two_seeds_each_slice_comes_from_both_and_each_sweep_arrives_at_the_other_seed(
    swept: Swept, square: Tensor
) -> None:
    slices = swept(Follower(range(30)), SweepRange(0, 29), [Seed(18, square), Seed(10, square)])
    counts = [sum(each.index == index for each in slices) for index in range(30)]
    assert counts == [1] * 10 + [1] + [2] * 7 + [1] + [1] * 11
    assert {(each.index, each.origin) for each in slices if each.index in (10, 18)} == {(10, 18), (18, 10)}
    assert {each.distance for each in slices if each.index == 12} == {2, 6}


def test_confidence_falls_with_every_doubtful_slice(swept: Swept, square: Tensor) -> None:
    class Doubtful(Follower):
        def step(self, embedding: Embedding, index: int, last: int, mask: Tensor, memory: Memory) -> Step:
            return Step(mask, 0.9, 0.8, 0.7)

    slices = swept(Doubtful(range(30)), SweepRange(10, 29), [Seed(10, square)])
    confidences = [each.confidence for each in slices]
    assert confidences == sorted(confidences, reverse=True)
    assert 0 < confidences[-1] < confidences[0] < 1


def test_a_blend_of_two_sweeps_leans_to_the_nearer_and_surer(kidney_embedding: Embedding, square: Tensor) -> None:
    blend = Blend(kidney_embedding, [Seed(10, square), Seed(18, square)])
    blend.add(SweptSlice(12, square, 0.9, 10, 1.0))
    blend.add(SweptSlice(12, torch.zeros_like(square), 0.9, 18, 1.0))
    assert float(blend.total[12].max()) == pytest.approx(0.75, abs=0.01)
    assert blend.visited.nonzero().flatten().tolist() == [10, 12, 18]


def test_a_blend_keeps_its_seeds(kidney_embedding: Embedding, square: Tensor) -> None:
    blend = Blend(kidney_embedding, [Seed(10, square, 0.6)])
    assert torch.equal(blend.total[10].float(), square)
    assert float(blend.confidence[10]) == pytest.approx(0.6)


@pytest.mark.parametrize("presence", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("agreement", [0.0, 1.0])
@pytest.mark.parametrize("margin", [0.0, 1.0])
def test_quality_lies_between_zero_and_one(presence: float, agreement: float, margin: float) -> None:
    assert 0 <= quality(Step(torch.zeros(1), presence, agreement, margin)) <= 1


def test_masks_agree_with_themselves_and_not_with_nothing(square: Tensor) -> None:
    assert soft_dice(square, square) == pytest.approx(1)
    assert soft_dice(square, torch.zeros_like(square)) == 0
    assert margin_of(square) == 1 and margin_of(torch.zeros_like(square)) == 0


def test_affinity_alone_carries_the_kidney_onto_an_identical_slice(
    engine: Engine, kidney_embedding: Embedding, kidney_truth: Segmentation
) -> None:
    kidney = next(segment for segment in kidney_truth.segments if segment.name == "right kidney")
    painted = {each.index: each.working for each in painted_slices(kidney, 0, kidney_embedding)}
    step = AffinityStep(engine.network).step(kidney_embedding, 13, 13, painted[13], torch.zeros(0))
    assert step.probability.shape == painted[13].shape
    assert soft_dice((step.probability > 0.5).float(), painted[13]) > 0.7
    assert step.presence == 1


def test_a_step_leaves_everything_far_from_the_last_mask_empty(engine: Engine, kidney_embedding: Embedding) -> None:
    mask = torch.zeros(kidney_embedding.images.shape[1:])
    mask[4:12, 4:12] = 1
    small = torch.nn.functional.avg_pool2d(mask[None], 4)[0]
    plain = engine.network.extract(kidney_embedding.standardised(13), small)
    prototypes = engine.network.enhance(plain, Enhancement())
    stepper = DecoderStep(engine.network, prototypes)
    step = stepper.step(kidney_embedding, 14, 13, mask, stepper.begin(kidney_embedding, 13, mask))
    assert step.probability.shape == mask.shape
    assert not step.probability[128:].any() and not step.probability[:, 128:].any()
    for number in (step.presence, step.agreement, step.margin):
        assert 0 <= number <= 1


def test_thick_slices_follow_affinity_more_closely_than_thin_ones(
    engine: Engine, kidney_embedding: Embedding, kidney_truth: Segmentation
) -> None:
    kidney = next(segment for segment in kidney_truth.segments if segment.name == "right kidney")
    mask = next(each.working for each in painted_slices(kidney, 0, kidney_embedding) if each.index == 13)
    small = torch.nn.functional.avg_pool2d(mask[None], 4)[0]
    plain = engine.network.extract(kidney_embedding.standardised(13), small)
    stepper = DecoderStep(engine.network, engine.network.enhance(plain, Enhancement()))
    memory = stepper.begin(kidney_embedding, 13, mask)
    thin, thick = (
        stepper.step(replace(kidney_embedding, stack=replace(kidney_embedding.stack, gap_mm=gap)), 14, 13, mask, memory)
        for gap in (4.0, 4.0001)
    )
    carried = AffinityStep(engine.network).step(kidney_embedding, 14, 13, mask, memory).probability
    away = [(step.probability - carried)[mask > 0.5].abs().mean() for step in (thin, thick)]
    assert away[1] < 0.8 * away[0]
