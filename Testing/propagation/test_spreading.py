"""What is known on some slices is spread along what looks alike."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.propagation.spreading import spread

LIVER, HEART, BOWEL = torch.eye(3)


def never() -> None:
    """Nothing is cancelled."""


def keys_of(*slices: tuple[Tensor, Tensor]) -> Tensor:
    """[n, 3, 8, 8]: slices with one kind of thing in their left half and one in their right."""
    halves = [torch.stack([left] * 4 + [right] * 4, 1)[:, None].expand(-1, 8, -1) for left, right in slices]
    return torch.stack(halves)


@pytest.fixture
def heart_beyond_a_liver() -> Tensor:
    """Of five slices the first shows liver alone, the last none of it; a heart takes its place on the right."""
    return keys_of((LIVER, LIVER), (LIVER, LIVER), (LIVER, HEART), (LIVER, HEART), (BOWEL, HEART))


@pytest.fixture
def ends() -> Tensor:
    """bool [5]: the first and the last slice are known."""
    return torch.tensor([True, False, False, False, True])


def test_what_looks_like_the_paint_belongs_to_it_and_what_looks_like_what_comes_after_does_not(
    heart_beyond_a_liver: Tensor, ends: Tensor
) -> None:
    values = torch.ones(5, 8, 8)
    values[4] = 0
    found = spread(heart_beyond_a_liver, values, ends, never)
    assert found[1:4, :, :2].min() > 0.95
    assert found[1, :, 6:].min() > 0.95
    assert found[2:4, :, 6:].max() < 0.05


def test_where_all_looks_alike_values_go_evenly_from_one_end_to_the_other(ends: Tensor) -> None:
    alike = keys_of(*[(LIVER, LIVER)] * 5)
    values = torch.zeros(5, 8, 8)
    values[0] = 1
    found = spread(alike, values, ends, never)
    torch.testing.assert_close(found.mean((1, 2)), torch.linspace(1, 0, 5), atol=0.02, rtol=0)


@given(st.integers(0, 2**16), st.lists(st.booleans(), min_size=1, max_size=7))
def test_known_slices_stay_and_nothing_goes_beyond_what_was_there(seed: int, known: list[bool]) -> None:
    generator = torch.Generator().manual_seed(seed)
    keys = functional.normalize(torch.randn(len(known), 4, 6, 5, generator=generator), dim=1)
    values, fixed = torch.rand(len(known), 6, 5, generator=generator), torch.tensor(known)
    found = spread(keys, values, fixed, never)
    assert torch.equal(found[fixed], values[fixed])
    assert found.max() <= values.max() + 1e-5
    assert found.min() >= -1e-5


def test_the_values_that_come_in_are_not_changed(heart_beyond_a_liver: Tensor, ends: Tensor) -> None:
    values = torch.rand(5, 8, 8, generator=torch.Generator().manual_seed(3))
    before = values.clone()
    spread(heart_beyond_a_liver, values, ends, never)
    assert torch.equal(values, before)


def test_it_stops_where_it_is_told_to(heart_beyond_a_liver: Tensor, ends: Tensor) -> None:
    def refuse() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        spread(heart_beyond_a_liver, torch.ones(5, 8, 8), ends, refuse)
