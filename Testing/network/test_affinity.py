"""Affinity carries masks from slice to slice."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from DPLSegmentLib.network.affinity import LocalAffinity
from DPLSegmentLib.network.checkpoint import Model


@pytest.fixture
def affinity(model: Model) -> LocalAffinity:
    """The trained affinity."""
    return model.network.affinity


def overlap(a: Tensor, b: Tensor) -> float:
    """Dice of two masks above one half."""
    a, b = a > 0.5, b > 0.5
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def sharp(affinity: LocalAffinity) -> LocalAffinity:
    """The same attention with all weight on the best match."""
    copied = LocalAffinity(affinity.project.in_channels, affinity.project.out_channels, affinity.radius)
    copied.load_state_dict({**affinity.state_dict(), "scale": torch.tensor(1e4)})
    return copied.requires_grad_(False)


def test_identical_slices_carry_a_mask_onto_itself(
    affinity: LocalAffinity, features: Tensor, small_masks: Tensor
) -> None:
    mask = small_masks[:1, None]
    torch.testing.assert_close(sharp(affinity)(features[:1], features[:1], mask), mask, atol=1e-3, rtol=0)
    assert overlap(affinity(features[:1], features[:1], mask), mask) > 0.7


@pytest.mark.parametrize("shift", [(1, 0), (0, -2), (-3, 3)])
def test_a_shift_within_the_radius_is_followed(
    affinity: LocalAffinity, features: Tensor, small_masks: Tensor, shift: tuple[int, int]
) -> None:
    mask, moved = small_masks[:1, None], features[:1].roll(shift, (2, 3))
    carried = sharp(affinity)(moved, features[:1], mask)
    assert overlap(carried, mask.roll(shift, (2, 3))) > 0.95


def test_a_shift_beyond_the_radius_is_not(affinity: LocalAffinity, features: Tensor, small_masks: Tensor) -> None:
    far = affinity.radius + 4
    mask = small_masks[:1, None]
    carried = sharp(affinity)(features[:1].roll(far, 3), features[:1], mask)
    assert overlap(carried, mask.roll(far, 3)) < 0.9


def test_the_kidney_is_carried_to_the_next_slice(
    affinity: LocalAffinity, features: Tensor, small_masks: Tensor
) -> None:
    carried = affinity(features[1:2], features[:1], small_masks[:1, None])
    assert overlap(carried[0, 0], small_masks[1]) > 0.6


def test_masks_are_carried_each_for_itself_and_stay_between_zero_and_one(
    affinity: LocalAffinity, features: Tensor, small_masks: Tensor
) -> None:
    both = torch.stack([small_masks[0], 1 - small_masks[0]])[None]
    carried = affinity(features[1:2], features[:1], both)
    torch.testing.assert_close(carried[:, :1], affinity(features[1:2], features[:1], both[:, :1]))
    torch.testing.assert_close(carried.sum(1), torch.ones(carried.shape[0], *carried.shape[2:]))
    assert float(carried.min()) >= 0


def test_nothing_is_carried_from_an_empty_mask(affinity: LocalAffinity, features: Tensor) -> None:
    empty = torch.zeros(1, 1, *features.shape[-2:])
    assert torch.equal(affinity(features[1:2], features[:1], empty), empty)
