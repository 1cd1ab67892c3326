"""Regions are split where one cross-section does not lead to the next."""

from __future__ import annotations

import numpy as np
import pytest

from DPLSegmentLib.training.chains import chained

SPACING = (1.25, 1.25)


@pytest.fixture
def column() -> np.ndarray:
    regions = np.zeros((8, 40, 40), np.int32)
    regions[1:7, 10:26, 10:26] = 3
    return regions


def test_a_column_stays_whole(column: np.ndarray) -> None:
    chains = chained(column, SPACING)
    assert np.array_equal(chains > 0, column > 0)
    assert len(np.unique(chains)) == 2


def test_what_goes_on_elsewhere_is_another_chain(column: np.ndarray) -> None:
    column[4:7] = np.roll(column[4:7], 10, 2)
    chains = chained(column, SPACING)
    assert chains[2, 12, 12] == chains[3, 12, 12] != chains[4, 12, 24] == chains[6, 12, 24]
    assert np.array_equal(chains > 0, column > 0)


def test_a_narrow_bridge_is_cut(column: np.ndarray) -> None:
    column[:, 12:24, 29:39] = column[:, 12:24, 10:20]
    column[1:7, 16:19, 26:29] = 3
    chains = chained(column, SPACING)
    assert chains[3, 18, 15] != chains[3, 18, 34]
    assert chains[3, 18, 15] == chains[5, 18, 15]


def test_other_regions_are_never_joined(column: np.ndarray) -> None:
    column[4:7][column[4:7] > 0] = 5
    chains = chained(column, SPACING)
    assert chains[3, 15, 15] != chains[4, 15, 15]


def test_thin_regions_are_kept_whole(column: np.ndarray) -> None:
    thin = np.zeros_like(column)
    thin[1:7, 10:13, 5:35] = 2
    chains = chained(thin, SPACING)
    assert np.array_equal(chains > 0, thin > 0)
    assert len(np.unique(chains)) == 2


def test_nothing_comes_of_no_region() -> None:
    chains = chained(np.zeros((3, 8, 8), np.int32), SPACING)
    assert not chains.any()
    assert chains.dtype == np.int32
