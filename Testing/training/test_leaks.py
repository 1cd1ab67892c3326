"""Masks that have run into a neighbour."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from DPLSegmentLib.training.leaks import with_leaks


@pytest.fixture
def masks() -> Tensor:
    squares = torch.zeros(3, 32, 32)
    squares[0, 2:8, 2:8], squares[1, 10:20, 10:20], squares[2, 22:30, 22:30] = 1, 1, 1
    return squares


def test_some_masks_are_joined_with_another_structure_and_it_is_said_which(masks: Tensor) -> None:
    torch.manual_seed(0)
    found = [with_leaks(masks, masks, masks, 0.2) for _ in range(50)]
    share = float(torch.stack([leaked.float() for _, leaked in found]).mean())
    assert 0.1 < share < 0.3
    for joined, leaked in found:
        grown = joined.sum((1, 2)) > masks.sum((1, 2))
        assert torch.equal(grown, leaked) and bool((joined >= masks).all())


def test_a_single_structure_and_parts_that_look_the_same_never_leak(masks: Tensor) -> None:
    whole = masks.amax(0).expand(3, -1, -1)
    for _ in range(30):
        assert not with_leaks(masks[:1], masks[:1], masks[:1], 1.0)[1].any()
        assert not with_leaks(masks, masks, whole, 1.0)[1].any()


def test_a_touching_neighbour_leaks_in_rather_than_a_far_one() -> None:
    squares = torch.zeros(3, 32, 32)
    squares[0, 2:8, 2:8], squares[1, 2:8, 9:20], squares[2, 22:30, 22:30] = 1, 1, 1
    torch.manual_seed(1)
    joined = torch.stack([with_leaks(squares, squares, squares, 1.0)[0][0] for _ in range(40)])
    assert not joined[:, 22:30, 22:30].any()
    sizes = (joined[:, 2:8, 9:20]).sum((1, 2))
    assert float(sizes.min()) < 66 and float(sizes.max()) == 66
