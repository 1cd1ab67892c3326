"""What a growing cross-section does not cross."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from DPLSegmentLib.propagation.crossing import uncrossed


@pytest.fixture
def mask() -> Tensor:
    """An organ of 30 x 30 pixels on the left."""
    organ = torch.zeros(96, 96)
    organ[30:60, 20:50] = 1
    return organ


@pytest.fixture
def neighbours() -> Tensor:
    """Two organs of one grey value side by side, a thin dark line between them."""
    torch.manual_seed(0)
    image = torch.full((96, 96), 0.1)
    image[30:60, 20:52], image[30:60, 54:80] = 0.6, 0.6
    return image + torch.randn(96, 96) * 0.02


def test_a_touching_neighbour_of_equal_grey_is_not_entered(mask: Tensor, neighbours: Tensor) -> None:
    wide = torch.zeros(96, 96)
    wide[30:60, 20:60] = 0.9
    kept = uncrossed(wide, mask, neighbours)
    assert not kept[:, 54:].any()
    assert float((kept[30:60, 20:50] > 0).float().mean()) == 1


def test_the_organ_itself_may_grow_where_its_grey_goes_on(mask: Tensor, neighbours: Tensor) -> None:
    whole = neighbours.clone()
    whole[30:60, 50:80] = 0.6
    wide = torch.zeros(96, 96)
    wide[30:60, 20:56] = 0.9
    assert float((uncrossed(wide, mask, whole)[32:58, 50:56] > 0).float().mean()) > 0.9


def test_small_cross_sections_and_lost_ones_are_left_alone(mask: Tensor, neighbours: Tensor) -> None:
    wide = torch.full((96, 96), 0.9)
    small = torch.zeros(96, 96)
    small[30:50, 20:40] = 1
    assert torch.equal(uncrossed(wide, small, neighbours), wide)
    away = wide * (1 - mask)
    assert torch.equal(uncrossed(away, mask, neighbours), away)


def test_an_organ_of_one_single_grey_value_keeps_what_is_within_it(mask: Tensor) -> None:
    assert torch.equal(uncrossed(mask * 0.8, mask, torch.full((96, 96), 0.5)), mask * 0.8)
