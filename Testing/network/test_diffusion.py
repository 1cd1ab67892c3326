"""Prototype diffusion: the identity before training, repeatable, conditioned, and limited to little noise."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.checkpoint import Model
from DPLSegmentLib.network.condition import CONDITION, Condition
from DPLSegmentLib.network.diffusion import PrototypeDiffusion, cosine_schedule, time_encoding
from DPLSegmentLib.network.prototypes import Prototypes, unit

VARIANTS = 4


@pytest.fixture
def condition(prototypes: Prototypes) -> Tensor:
    """What is known of the kidney's prototypes."""
    return Condition()(prototypes.foreground, prototypes.geometry)


@pytest.fixture
def diffusion(model: Model) -> PrototypeDiffusion:
    """The trained diffusion."""
    return model.network.diffusion


def test_before_training_each_variant_is_the_prototype(prototypes: Prototypes, condition: Tensor) -> None:
    fresh = PrototypeDiffusion(prototypes.foreground.shape[1])
    variants = fresh.variants(prototypes.foreground, condition, VARIANTS)
    assert variants.shape == (len(prototypes.foreground), VARIANTS, prototypes.foreground.shape[1])
    torch.testing.assert_close(variants, prototypes.foreground[:, None].expand_as(variants))


def test_a_diffusion_that_is_off_gives_the_prototype_itself(
    diffusion: PrototypeDiffusion, prototypes: Prototypes, condition: Tensor
) -> None:
    off = PrototypeDiffusion(prototypes.foreground.shape[1], enabled=False)
    off.load_state_dict(diffusion.state_dict())
    variants = off.variants(prototypes.foreground, condition, VARIANTS)
    assert torch.equal(variants, prototypes.foreground[:, None].expand_as(variants))
    assert float(off.loss(prototypes.foreground, prototypes.foreground, condition)) == 0


def test_the_same_seed_gives_the_same_variants_bit_for_bit(
    diffusion: PrototypeDiffusion, prototypes: Prototypes, condition: Tensor
) -> None:
    first = diffusion.variants(prototypes.foreground, condition, VARIANTS, seed=3)
    torch.randn(7)
    assert torch.equal(first, diffusion.variants(prototypes.foreground, condition, VARIANTS, seed=3))


def test_variants_of_a_trained_diffusion_differ_from_each_other_and_between_seeds(
    diffusion: PrototypeDiffusion, prototypes: Prototypes, condition: Tensor
) -> None:
    first = diffusion.variants(prototypes.foreground, condition, VARIANTS, seed=0)
    assert not torch.equal(first[:, 0], first[:, 1])
    assert not torch.equal(first, diffusion.variants(prototypes.foreground, condition, VARIANTS, seed=1))


def test_variants_have_the_length_of_prototypes(
    diffusion: PrototypeDiffusion, prototypes: Prototypes, condition: Tensor
) -> None:
    variants = diffusion.variants(prototypes.foreground, condition, VARIANTS)
    torch.testing.assert_close(variants.square().mean(-1).sqrt(), torch.ones(variants.shape[:2]), atol=1e-4, rtol=0)


def test_the_condition_changes_the_variants(
    diffusion: PrototypeDiffusion, prototypes: Prototypes, condition: Tensor
) -> None:
    known = diffusion.variants(prototypes.foreground, condition, VARIANTS)
    unknown = diffusion.variants(prototypes.foreground, torch.zeros_like(condition), VARIANTS)
    assert not torch.equal(known, unknown)


def test_a_prototype_gets_the_same_variants_alone_and_among_others_of_one_count(
    diffusion: PrototypeDiffusion, prototypes: Prototypes, condition: Tensor
) -> None:
    alone = diffusion.variants(prototypes.foreground[:1], condition[:1], VARIANTS)
    among = diffusion.variants(prototypes.foreground, condition, VARIANTS)
    torch.testing.assert_close(alone[0], among[0], atol=1e-4, rtol=1e-4)


@given(st.integers(2, 200))
def test_noise_only_grows_with_time(timesteps: int) -> None:
    signal = cosine_schedule(timesteps)
    assert len(signal) == timesteps + 1
    assert float(signal[0]) == 1 and float(signal[-1]) > 0
    assert bool((signal.diff() <= 0).all())


def test_at_time_zero_nothing_is_added(diffusion: PrototypeDiffusion, prototypes: Prototypes) -> None:
    clean = prototypes.foreground
    time = torch.zeros(len(clean), dtype=torch.long)
    assert torch.equal(diffusion.add_noise(clean, time, torch.ones_like(clean)), clean)


def test_no_more_than_half_of_the_noise_is_used(diffusion: PrototypeDiffusion) -> None:
    assert diffusion.latest == (len(diffusion.signal) - 1) // 2
    assert float(diffusion.signal[diffusion.latest]) > 0.4


def test_each_time_has_an_encoding_of_its_own() -> None:
    encodings = time_encoding(torch.arange(33))
    assert encodings.shape == (33, 16)
    assert len(torch.unique(encodings, dim=0)) == 33


def test_learning_brings_variants_closer_to_the_target() -> None:
    torch.manual_seed(0)
    prototypes = unit(torch.randn(6, 24))
    targets = unit(prototypes + 0.5 * torch.randn(1, 24))
    condition = torch.zeros(6, CONDITION)
    diffusion = PrototypeDiffusion(24)
    optimiser = torch.optim.Adam(diffusion.parameters(), 3e-3)
    for _ in range(60):
        optimiser.zero_grad()
        diffusion.loss(prototypes, targets, condition).backward()
        optimiser.step()
    variants = diffusion.variants(prototypes, condition, VARIANTS)
    before = functional.cosine_similarity(prototypes, targets)
    after = functional.cosine_similarity(variants, targets[:, None], dim=-1).mean(1)
    assert bool((after > before).all())


def test_pairs_that_hardly_agree_are_not_learnt_from() -> None:
    prototypes = torch.eye(4)
    loss = PrototypeDiffusion(4).loss(prototypes, prototypes.roll(1, 0), torch.zeros(4, CONDITION))
    assert float(loss) == 0
