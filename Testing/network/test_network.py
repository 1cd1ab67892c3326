"""The parts together: switches, one pipeline in training and at inference, statistics of a scan."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.checkpoint import Model
from DPLSegmentLib.network.condition import Condition
from DPLSegmentLib.network.fusion import ConservativeFusion, FusionMode
from DPLSegmentLib.network.network import (
    Enhancement,
    SegmentationNetwork,
    body_weight,
    channel_statistics,
    neighbours,
    standardise,
)
from DPLSegmentLib.network.prototypes import Prototypes


@pytest.fixture
def network(model: Model) -> SegmentationNetwork:
    """The trained network."""
    return model.network


def enhanced(network: SegmentationNetwork, prototypes: Prototypes, **switches: object) -> Tensor:
    """The foreground after enhancement with some switches."""
    return network.enhance(prototypes, Enhancement(**switches)).foreground


def test_enhancement_is_the_identity_before_training(untrained: SegmentationNetwork, prototypes: Prototypes) -> None:
    torch.testing.assert_close(enhanced(untrained, prototypes), prototypes.foreground)


def test_the_same_prototypes_are_enhanced_to_the_same_bit(network: SegmentationNetwork, prototypes: Prototypes) -> None:
    assert torch.equal(enhanced(network, prototypes), enhanced(network, prototypes))


def test_each_set_of_variants_has_every_prototype_in_its_place(
    network: SegmentationNetwork, prototypes: Prototypes
) -> None:
    sets = network.varied(prototypes, Enhancement(variants=3))
    assert len(sets) == 3
    for one in sets:
        assert one.background is prototypes.background
        likeness = functional.cosine_similarity(one.foreground[:, None], prototypes.foreground[None], dim=-1)
        assert likeness.argmax(1).tolist() == list(range(len(prototypes.foreground)))
    assert not torch.equal(sets[0].foreground, sets[1].foreground)


def test_without_variants_there_is_one_set_the_plain_one(network: SegmentationNetwork, prototypes: Prototypes) -> None:
    for switches in ({"diffusion": False}, {"fusion": ConservativeFusion(FusionMode.NONE)}):
        assert network.varied(prototypes, Enhancement(**switches)) == [prototypes]


def test_training_and_inference_enhance_alike(network: SegmentationNetwork, prototypes: Prototypes) -> None:
    inference = enhanced(network, prototypes)
    training = enhanced(network.train(), prototypes)
    network.eval()
    assert torch.equal(training, inference)


def test_without_diffusion_the_plain_prototypes_are_left(network: SegmentationNetwork, prototypes: Prototypes) -> None:
    assert network.enhance(prototypes, Enhancement(diffusion=False)) is prototypes


def test_the_background_is_left_as_it_is(network: SegmentationNetwork, prototypes: Prototypes) -> None:
    found = network.enhance(prototypes, Enhancement())
    assert found.background is prototypes.background and found.geometry is prototypes.geometry


@pytest.mark.parametrize(
    "switches",
    [
        {"condition": Condition(statistics=False)},
        {"condition": Condition(geometry=False)},
        {"fusion": ConservativeFusion(weight=0.1)},
        {"fusion": ConservativeFusion(FusionMode.NONE)},
        {"fusion": ConservativeFusion(FusionMode.VARIANTS)},
        {"variants": 2},
        {"seed": 1},
    ],
)
def test_every_switch_changes_the_enhanced_prototypes(
    network: SegmentationNetwork, prototypes: Prototypes, switches: dict[str, object]
) -> None:
    assert not torch.equal(enhanced(network, prototypes, **switches), enhanced(network, prototypes))


def test_a_half_of_the_condition_that_is_off_is_not_looked_at(
    network: SegmentationNetwork, prototypes: Prototypes
) -> None:
    elsewhere = replace(prototypes, geometry=prototypes.geometry + 1)
    blind = Condition(geometry=False)
    assert torch.equal(enhanced(network, prototypes, condition=blind), enhanced(network, elsewhere, condition=blind))
    assert not torch.equal(enhanced(network, prototypes), enhanced(network, elsewhere))


def test_without_fusion_the_plain_prototypes_come_out(network: SegmentationNetwork, prototypes: Prototypes) -> None:
    assert torch.equal(enhanced(network, prototypes, fusion=ConservativeFusion(FusionMode.NONE)), prototypes.foreground)


def test_kept_variants_join_the_prototypes_within_the_cosine_bound(
    network: SegmentationNetwork, prototypes: Prototypes
) -> None:
    kept = enhanced(network, prototypes, fusion=ConservativeFusion(FusionMode.VARIANTS), variants=3)
    count = len(prototypes.foreground)
    assert torch.equal(kept[:count], prototypes.foreground)
    assert count < len(kept) <= 4 * count
    cosine = functional.cosine_similarity(kept[count:, None], prototypes.foreground, dim=-1)
    assert float(cosine.amax(1).min()) >= 0.5


def test_enhanced_prototypes_stay_close_to_the_plain_ones(network: SegmentationNetwork, prototypes: Prototypes) -> None:
    cosine = functional.cosine_similarity(enhanced(network, prototypes), prototypes.foreground)
    assert float(cosine.min()) >= 0.95


def test_a_slice_is_seen_between_its_neighbours_and_the_ends_repeat_themselves(slices: Tensor) -> None:
    triples = neighbours(slices)
    assert torch.equal(triples[:, 1], slices)
    assert torch.equal(triples[1:, 0], slices[:-1]) and torch.equal(triples[:-1, 2], slices[1:])
    assert torch.equal(triples[0, 0], slices[0]) and torch.equal(triples[-1, 2], slices[-1])


@given(st.integers(1, 4), st.floats(0.1, 50), st.floats(-20, 20))
def test_standardised_features_have_no_mean_and_unit_variance(count: int, scale: float, offset: float) -> None:
    generator = torch.Generator().manual_seed(count)
    features = torch.randn(count, 5, 6, 7, generator=generator) * scale + offset
    weight = torch.rand(count, 1, 6, 7, generator=generator)
    mean, deviation = channel_statistics(standardise(features, weight), weight)
    torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-3, rtol=0)
    torch.testing.assert_close(deviation, torch.ones_like(deviation), atol=1e-3, rtol=0)


def test_air_has_no_part_in_the_statistics(slices: Tensor) -> None:
    weight = body_weight(slices, (slices.shape[1] // 4, slices.shape[2] // 4))
    air = functional.max_pool2d((slices > 0.03).float()[:, None], 4) == 0
    assert bool(air.any()) and not weight[air].any()
    assert 0 < float(weight.mean()) < 1


def test_on_slices_of_nothing_but_air_everything_counts() -> None:
    assert bool((body_weight(torch.zeros(2, 32, 32), (8, 8)) == 1).all())
