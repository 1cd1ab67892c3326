"""Beside the paint a structure comes out about as large as it is painted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from DPLSegmentLib.images.stack import stack_along
from DPLSegmentLib.propagation.level import level
from DPLSegmentLib.propagation.painted import PaintedSlice

STACK = stack_along(np.zeros((9, 48, 48), np.uint8), (4.0, 1.0, 1.0), 0)
SLICES = range(9)
from_centre = np.hypot(*(np.mgrid[:48, :48] - 23.5))


@pytest.fixture
def blurred() -> np.ndarray:
    """Nine slices of a disc of 12 pixels' radius, less likely towards its border: a toss-up there."""
    odds = 0.5 * (12 - from_centre)
    return np.tile(1 / (1 + np.exp(-odds)), (9, 1, 1)).astype(np.float16)


def disc(radius: float, index: int = 4) -> PaintedSlice:
    """Painted on a slice."""
    native = from_centre < radius
    return PaintedSlice(index, native, torch.from_numpy(native).float())


def areas(probability: np.ndarray) -> np.ndarray:
    """Pixels inside of each slice."""
    return (probability > 0.5).sum((1, 2))


@pytest.mark.parametrize("radius", [11.0, 13.5])
def test_slices_beside_the_paint_come_nearer_to_its_size_and_those_far_away_less(
    blurred: np.ndarray, radius: float
) -> None:
    before, painted = blurred.copy(), disc(radius)
    level(blurred, SLICES, [painted], STACK)
    wanted = (1 - 0.5 * (4 / radius) ** 2) * painted.native.sum()
    changed = np.abs(blurred.astype(float) - before).sum((1, 2))
    assert changed[4] == 0
    for near, far in ((3, 0), (5, 8)):
        assert abs(areas(blurred)[near] - wanted) < abs(areas(before)[near] - wanted)
        assert changed[near] > changed[far] > 0


@given(st.floats(3, 22), st.integers(0, 8))
def test_nothing_comes_or_goes_where_it_is_not_in_doubt(radius: float, index: int) -> None:
    sure = np.tile(from_centre < 12, (9, 1, 1)).astype(np.float16)
    changed = sure.copy()
    level(changed, SLICES, [disc(radius, index)], STACK)
    assert np.array_equal(changed, sure)


def test_what_is_painted_as_large_as_it_comes_out_stays(blurred: np.ndarray) -> None:
    before = areas(blurred)
    level(blurred, SLICES, [disc((12**2 + 0.5 * 4**2) ** 0.5)], STACK)
    assert np.abs(areas(blurred) - before).max() <= 0.02 * before[0]


@pytest.mark.parametrize("index", [0, 8])
def test_an_end_of_the_scan_tells_nothing(blurred: np.ndarray, index: int) -> None:
    before = blurred.copy()
    level(blurred, SLICES, [disc(9, index)], STACK)
    assert np.array_equal(blurred, before)


def test_an_end_of_the_structure_tells_nothing(blurred: np.ndarray) -> None:
    blurred[5:] = 0
    before = blurred.copy()
    level(blurred, SLICES, [disc(9)], STACK)
    assert np.array_equal(blurred, before)


def test_slices_painted_beside_each_other_tell_nothing(blurred: np.ndarray) -> None:
    before = blurred.copy()
    level(blurred, SLICES, [disc(9, 4), disc(9, 5)], STACK)
    assert np.array_equal(blurred, before)


def test_each_painted_slice_tells_of_what_is_around_it(blurred: np.ndarray) -> None:
    before = areas(blurred)
    level(blurred, SLICES, [disc(10, 1), disc(14, 7)], STACK)
    after = areas(blurred)
    assert all(after[[0, 2]] < before[[0, 2]]) and all(after[[6, 8]] > before[[6, 8]])


def test_without_paint_all_stays(blurred: np.ndarray) -> None:
    before = blurred.copy()
    level(blurred, SLICES, [], STACK)
    assert np.array_equal(blurred, before)
