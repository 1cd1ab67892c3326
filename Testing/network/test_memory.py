"""What a sweep remembers of where it began, and for how long."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from DPLSegmentLib.network.evidence import LARGE, Memory, shrink

SIDE = 64


def square(side: int) -> Tensor:
    """[1, 64, 64]: a square in the middle."""
    mask = torch.zeros(1, SIDE, SIDE)
    first = (SIDE - side) // 2
    mask[:, first : first + side, first : first + side] = 1
    return mask


@pytest.fixture
def faded() -> Memory:
    """Of a sweep that has come 100 pixels and whose traced masks are nearly gone: one small and one large structure."""
    return Memory(torch.zeros(2, 32), torch.full((2, SIDE // 4, SIDE // 4), 0.01), torch.full((2,), 100.0))


@pytest.fixture
def masks() -> Tensor:
    """A small cross-section and a large one."""
    small, large = square(8), square(32)
    assert float(small.sum()) < LARGE <= float(large.sum())
    return torch.cat([small, large])


def test_a_small_structure_is_traced_from_its_last_mask(faded: Memory, masks: Tensor) -> None:
    assert torch.equal(faded.renewed(masks).traced[0], shrink(masks)[0])


def test_a_large_structure_is_traced_from_where_it_began(faded: Memory, masks: Tensor) -> None:
    assert torch.equal(faded.renewed(masks).traced[1], faded.traced[1])


def test_only_the_way_of_a_small_structure_is_shortened(faded: Memory, masks: Tensor) -> None:
    assert faded.renewed(masks).way.tolist() == [40.0, 100.0]


def test_grey_values_of_the_first_slice_stay(faded: Memory, masks: Tensor) -> None:
    assert torch.equal(faded.renewed(masks).greys, faded.greys)


def test_the_way_grows_with_every_step(faded: Memory) -> None:
    assert faded.moved(faded.traced, 2.5).way.tolist() == [102.5, 102.5]
