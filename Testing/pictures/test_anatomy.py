"""Arrays turned for display."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.pictures.anatomy import Orientation

TURNS = list(itertools.product(itertools.permutations(range(3)), itertools.product((-1, 1), repeat=3)))


def stored(turn: tuple[tuple[int, ...], tuple[int, ...]]) -> Volume:
    """A scan whose voxels hold S, A and R position as one number, stored with its axes in some order and sign."""
    order, signs = turn
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3)[:, list(order)] * signs * np.array([1.0, 2.0, 3.0])
    shape = (4, 5, 6)
    ijk = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"))[::-1].reshape(3, -1)
    right, anterior, superior = matrix[:3, :3] @ ijk
    return Volume((superior * 10000 + anterior * 100 + right).reshape(shape), matrix)


@pytest.mark.parametrize("turn", TURNS)
def test_every_stored_order_is_shown_from_head_to_foot_front_to_back_and_right_to_left(
    turn: tuple[tuple[int, ...], tuple[int, ...]],
) -> None:
    volume = stored(turn)
    shown = Orientation.of(volume.ijk_to_ras).turn(volume.array)
    for axis in range(3):
        assert (np.diff(shown, axis=axis) < 0).all()


@pytest.mark.parametrize("turn", TURNS)
def test_slices_and_spacing_follow_their_axes(turn: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    volume = stored(turn)
    orientation = Orientation.of(volume.ijk_to_ras)
    shown = orientation.turn(volume.array)
    for axis in range(3):
        place = orientation.display_axis(axis)
        index = orientation.display_index(axis, 1, volume.shape[axis])
        assert orientation.spacing[place] == pytest.approx(volume.spacing[axis])
        assert set(np.take(shown, index, place).ravel()) == set(np.take(volume.array, 1, axis).ravel())


def test_an_oblique_scan_is_turned_to_the_nearest_axes() -> None:
    angle = np.radians(30)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    assert Orientation.of(matrix).axes == (0, 1, 2)
    assert Orientation.of(matrix).flipped == (True, True, True)
