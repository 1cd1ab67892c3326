"""How ragged outlines are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from DPLSegmentLib.propagation.raggedness import raggedness


@pytest.fixture
def disc() -> Tensor:
    """60 pixels wide."""
    rows, columns = torch.meshgrid(torch.arange(100), torch.arange(100), indexing="ij")
    return ((rows - 50) ** 2 + (columns - 50) ** 2 < 30**2).float()


def test_a_disc_is_less_ragged_than_what_has_a_hole_a_bar_or_scattered_spots(disc: Tensor) -> None:
    scattered = torch.rand(100, 100, generator=torch.Generator().manual_seed(1)) > 0.5
    holed, bar, spots = disc.clone(), torch.zeros(100, 100), disc * scattered
    holed[40:60, 40:60] = 0
    bar[48:52, 5:95] = 1
    assert raggedness(disc) < min(raggedness(other) for other in (holed, bar, spots))
    assert raggedness(spots) > raggedness(holed) + 1


def test_a_disc_twice_as_large_is_as_round(disc: Tensor) -> None:
    small = torch.zeros(100, 100)
    small[25:75, 25:75] = disc[::2, ::2]
    assert abs(raggedness(small) - raggedness(disc)) < 0.1


def test_nothing_has_no_outline() -> None:
    assert raggedness(torch.zeros(10, 10)) == 0
