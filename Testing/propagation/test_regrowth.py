"""Where a sweep has strayed into a neighbour."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from DPLSegmentLib.propagation.regrowth import kept_slices


def test_a_cross_section_that_grows_again_after_shrinking_ends_at_its_smallest_slice() -> None:
    areas = torch.tensor([0.0, 400, 900, 1000, 800, 300, 120, 130, 600, 900, 700])
    assert kept_slices(areas, 3, 3).tolist() == [True] * 7 + [False] * 4


def test_both_sides_are_judged_by_themselves() -> None:
    areas = torch.tensor([900.0, 200, 1000, 950, 900])
    assert kept_slices(areas, 2, 2).tolist() == [False, True, True, True, True]


def test_small_waves_of_a_vessel_are_kept() -> None:
    areas = torch.tensor([40.0, 55, 48, 60, 44, 52, 41])
    assert kept_slices(areas, 3, 3).all()


@given(st.lists(st.floats(0, 5000), min_size=1, max_size=30), st.data())
def test_what_lies_between_the_seeds_is_always_kept(sizes: list[float], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(sizes) - 1))
    last = data.draw(st.integers(first, len(sizes) - 1))
    kept = kept_slices(torch.tensor(sizes), first, last)
    assert kept[first : last + 1].all()
    assert torch.equal(kept, _run(kept))


def _run(kept: torch.Tensor) -> torch.Tensor:
    """Kept slices lie in one run."""
    found = kept.nonzero().flatten()
    run = torch.zeros_like(kept)
    run[int(found[0]) : int(found[-1]) + 1] = True
    return run
