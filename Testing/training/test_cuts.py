"""Structures whose border nothing shows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from DPLSegmentLib.training.cuts import cut


@pytest.fixture
def regions() -> Tensor:
    slices = torch.ones(5, 64, 64, dtype=torch.int32)
    slices[:, 10:50, 12:52] = 2
    return slices


@pytest.mark.parametrize("seed", range(6))
def test_a_cut_splits_one_region_and_leaves_the_others(regions: Tensor, seed: int) -> None:
    parts = cut(regions, 2, 3, 1, np.random.default_rng(seed))
    assert set(parts.unique().tolist()) == {1, 2, 3}
    assert torch.equal(parts == 1, regions == 1)


@pytest.mark.parametrize("seed", range(6))
def test_both_parts_are_large_on_the_painted_slice(regions: Tensor, seed: int) -> None:
    painted = cut(regions, 2, 3, 1, np.random.default_rng(seed))[1]
    share = float((painted == 3).sum()) / float((regions[1] == 2).sum())
    assert 0.28 < share < 0.72


def test_the_cut_moves_little_from_slice_to_slice(regions: Tensor) -> None:
    parts = cut(regions, 2, 3, 1, np.random.default_rng(0))
    changed = ((parts[1:] == 3) != (parts[:-1] == 3)).sum((1, 2))
    assert int(changed.max()) < 0.25 * 1600


def test_a_region_that_is_not_painted_stays_whole(regions: Tensor) -> None:
    regions[1] = 1
    assert torch.equal(cut(regions, 2, 3, 1, np.random.default_rng(0)), regions)
