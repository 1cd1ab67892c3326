"""How far a border moves from slice to slice."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from DPLSegmentLib.propagation.growth import growth_from


def square(side: int) -> Tensor:
    """A square mask in the middle of 96 x 96 pixels."""
    mask, first = torch.zeros(96, 96), 48 - side // 2
    mask[first : first + side, first : first + side] = 1
    return mask


@pytest.mark.parametrize(("gap_mm", "pixels"), [(2.5, 3), (5.0, 4), (10.0, 5)])
def test_a_border_moves_by_two_millimetres_and_a_share_of_the_gap(gap_mm: float, pixels: int) -> None:
    kept = growth_from(square(20)).within_reach(torch.ones(96, 96), square(20), gap_mm, 1.0)
    assert int(kept.sum()) == (20 + 2 * pixels) ** 2


def test_a_structure_that_widens_from_its_seed_on_may_go_on() -> None:
    growth = growth_from(square(16))
    first = growth.within_reach(torch.ones(96, 96), square(16), 5.0, 1.0)
    second = growth.within_reach(torch.ones(96, 96), first, 5.0, 1.0)
    assert int(first.sum()) == 24**2 and int(second.sum()) == 44**2


@pytest.mark.parametrize(("gap_mm", "pixels"), [(2.0, 5), (5.0, 8)])
def test_what_is_narrow_may_run_obliquely(gap_mm: float, pixels: int) -> None:
    kept = growth_from(square(12)).within_reach(torch.ones(96, 96), square(12), gap_mm, 1.0)
    assert int(kept.sum()) == (12 + 2 * pixels) ** 2


def test_a_structure_that_has_become_smaller_may_not_widen_fast() -> None:
    growth = growth_from(square(10))
    growth.within_reach(torch.ones(96, 96), square(40), 5.0, 1.0)
    kept = growth.within_reach(torch.ones(96, 96), square(20), 5.0, 1.0)
    assert int(kept.sum()) == 28**2


def test_what_shrinks_or_stays_is_left_alone() -> None:
    smaller = square(10) * 0.7
    assert torch.equal(growth_from(square(20)).within_reach(smaller, square(20), 3.0, 1.5), smaller)


def test_nothing_grows_out_of_nothing() -> None:
    empty = torch.zeros(96, 96)
    assert not growth_from(empty).within_reach(torch.ones(96, 96), empty, 5.0, 1.0).any()


def test_coarse_pixels_move_by_one_at_least() -> None:
    kept = growth_from(square(20)).within_reach(torch.ones(96, 96), square(20), 2.5, 20.0)
    assert int(kept.sum()) == 22**2


@pytest.mark.parametrize(("strict", "pixels"), [(True, 4), (False, 5)])
def test_a_large_cross_section_of_a_strict_sweep_moves_less(strict: bool, pixels: int) -> None:
    kept = growth_from(square(30), strict).within_reach(torch.ones(96, 96), square(30), 10.0, 1.0)
    assert int(kept.sum()) == (30 + 2 * pixels) ** 2
