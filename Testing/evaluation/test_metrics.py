"""Dice, HD95 and error retention against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DPLSegmentLib.evaluation.metrics import dice, error_retention_area, hausdorff95, retention_gain


@pytest.fixture
def cube() -> np.ndarray:
    mask = np.zeros((12, 12, 12), bool)
    mask[4:8, 4:8, 4:8] = True
    return mask


@pytest.fixture
def empty(cube: np.ndarray) -> np.ndarray:
    return np.zeros_like(cube)


def test_dice_of_half_overlapping_cubes_is_one_half(cube: np.ndarray) -> None:
    assert dice(np.roll(cube, 2, axis=0), cube) == pytest.approx(0.5)


def test_dice_counts_a_mask_and_its_half_as_two_thirds(cube: np.ndarray) -> None:
    half = cube.copy()
    half[6:] = False
    assert dice(half, cube) == pytest.approx(2 / 3)


def test_two_empty_masks_agree(empty: np.ndarray) -> None:
    assert dice(empty, empty) == 1.0
    assert hausdorff95(empty, empty, (1, 1, 1)) == 0.0


def test_one_empty_mask_is_entirely_wrong(cube: np.ndarray, empty: np.ndarray) -> None:
    assert dice(empty, cube) == 0.0
    assert hausdorff95(empty, cube, (1, 1, 1)) == math.inf


def test_distance_of_a_shifted_cube_is_its_shift_in_millimetres(cube: np.ndarray) -> None:
    moved = np.roll(cube, 2, axis=0)
    assert hausdorff95(moved, cube, (3.0, 1.0, 1.0)) == pytest.approx(6.0)
    assert hausdorff95(moved, cube, (0.5, 1.0, 1.0)) == pytest.approx(1.0)


def test_distance_ignores_five_per_cent_of_outliers(cube: np.ndarray) -> None:
    speck = cube.copy()
    speck[0, 0, 0] = True
    assert hausdorff95(speck, cube, (1, 1, 1)) == 0.0


def test_distance_at_the_border_of_the_image_is_measured() -> None:
    mask = np.ones((3, 3, 3), bool)
    assert hausdorff95(mask, mask, (1, 1, 1)) == 0.0


@pytest.mark.parametrize("metric", [dice, lambda a, b: hausdorff95(a, b, (1, 1, 1)), error_retention_area])
def test_different_shapes_are_refused(metric: object, cube: np.ndarray) -> None:
    with pytest.raises(ValueError, match="different shapes"):
        metric(cube, cube[1:])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_dice_and_distance_are_symmetric(seed: int) -> None:
    one, other = np.random.default_rng(seed).random((2, 5, 6, 7)) > 0.7
    assert dice(one, other) == dice(other, one)
    assert hausdorff95(one, other, (2, 1, 1)) == hausdorff95(other, one, (2, 1, 1))


def test_error_retention_of_four_voxels_is_as_computed_by_hand() -> None:
    errors = np.array([1.0, 0.0, 0.0, 1.0])
    confidence = np.array([0.1, 0.9, 0.8, 0.2])
    assert error_retention_area(errors, confidence) == pytest.approx((0 + 0 + 1 + 2) / 4 / 4)


def test_error_retention_of_nothing_is_zero() -> None:
    assert error_retention_area(np.zeros(0), np.zeros(0)) == 0.0


def test_a_perfect_confidence_gains_all_and_a_reversed_one_loses_as_much() -> None:
    errors = np.array([0, 0, 0, 1, 1])
    assert retention_gain(errors, 1.0 - errors) == pytest.approx(1.0)
    assert retention_gain(errors, errors.astype(float)) == pytest.approx(-1.0)


def test_a_meaningless_confidence_gains_about_nothing() -> None:
    generator = np.random.default_rng(0)
    errors = generator.random(20_000) < 0.3
    assert retention_gain(errors, generator.random(20_000)) == pytest.approx(0.0, abs=0.03)


def test_gain_is_not_defined_without_any_error() -> None:
    assert math.isnan(retention_gain(np.zeros(4), np.ones(4)))
