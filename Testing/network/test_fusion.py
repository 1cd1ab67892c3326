"""Conservative fusion: what is too far is rejected, and the prototype is never lost."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.fusion import ConservativeFusion, FusionMode
from DPLSegmentLib.network.prototypes import unit

CHANNELS = 24


def fidelity_bound(weight: float, cosine: float) -> float:
    """The smallest cosine that (1 - w) p + w v can have to p when v has `cosine` to p or more, all of one length."""
    along, across = 1 - weight + weight * cosine, weight * (1 - cosine**2) ** 0.5
    return along / (along**2 + across**2) ** 0.5


def variants_around(prototypes: Tensor, count: int, distance: float, generator: torch.Generator) -> Tensor:
    """Unit vectors [n, count, C] that stray from the prototypes [n, C]."""
    stray = torch.randn(len(prototypes), count, prototypes.shape[1], generator=generator)
    return unit(prototypes[:, None] + distance * stray)


def drawn(seed: int, distance: float, count: int = 5) -> tuple[Tensor, Tensor]:
    """Prototypes and variants by chance."""
    generator = torch.Generator().manual_seed(seed)
    prototypes = unit(torch.randn(6, CHANNELS, generator=generator))
    return prototypes, variants_around(prototypes, count, distance, generator)


@given(st.integers(0, 10_000), st.floats(0, 6), st.floats(0, 0.3), st.floats(0.02, 2))
def test_a_fused_prototype_is_never_below_the_fidelity_bound(
    seed: int, distance: float, weight: float, temperature: float
) -> None:
    prototypes, variants = drawn(seed, distance)
    fused = ConservativeFusion(FusionMode.MEAN, weight, temperature)(prototypes, variants)
    cosine = functional.cosine_similarity(fused, prototypes)
    assert float(cosine.min()) >= fidelity_bound(weight, 0.5) - 1e-4


@given(st.integers(0, 10_000), st.floats(0, 6), st.floats(0.1, 0.95))
def test_variants_below_the_cosine_bound_are_rejected(seed: int, distance: float, lowest: float) -> None:
    prototypes, variants = drawn(seed, distance)
    fused = ConservativeFusion(FusionMode.VARIANTS, lowest_cosine=lowest)(prototypes, variants)
    cosine = functional.cosine_similarity(variants, prototypes[:, None], dim=-1)
    assert torch.equal(fused[: len(prototypes)], prototypes)
    assert torch.equal(fused[len(prototypes) :], variants[cosine >= lowest])


@given(st.integers(0, 10_000), st.floats(0, 3))
def test_fused_prototypes_keep_the_length_of_prototypes(seed: int, distance: float) -> None:
    fused = ConservativeFusion()(*drawn(seed, distance))
    torch.testing.assert_close(fused.square().mean(1).sqrt(), torch.ones(len(fused)), atol=1e-4, rtol=0)


def test_a_rejected_variant_has_no_part_in_the_mean() -> None:
    prototypes, variants = drawn(1, 0.3)
    opposite = -prototypes[:, None]
    fusion = ConservativeFusion()
    assert torch.equal(fusion(prototypes, variants), fusion(prototypes, torch.cat([variants, opposite], 1)))


def test_a_prototype_without_usable_variants_stays_as_it_is() -> None:
    prototypes, _ = drawn(2, 0.0)
    assert torch.equal(ConservativeFusion()(prototypes, -prototypes[:, None].expand(-1, 3, -1)), prototypes)


def test_without_fusion_the_prototypes_stay_as_they_are() -> None:
    prototypes, variants = drawn(3, 0.5)
    assert ConservativeFusion(FusionMode.NONE)(prototypes, variants) is prototypes


def test_a_weight_of_zero_changes_nothing() -> None:
    prototypes, variants = drawn(4, 0.5)
    torch.testing.assert_close(ConservativeFusion(weight=0.0)(prototypes, variants), prototypes)


def test_the_mean_moves_prototypes_towards_their_variants() -> None:
    prototypes, _ = drawn(5, 0.0)
    target = unit(prototypes + 0.5 * prototypes.roll(1, 1))
    fused = ConservativeFusion()(prototypes, target[:, None])
    assert bool((functional.cosine_similarity(fused, target) > functional.cosine_similarity(prototypes, target)).all())


@pytest.mark.parametrize("mode", list(FusionMode))
def test_each_mode_has_its_name(mode: FusionMode) -> None:
    assert FusionMode(str(mode)) is mode
