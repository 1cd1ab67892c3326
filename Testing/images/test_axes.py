"""Which way a painted slice lies."""

from __future__ import annotations

import numpy as np
import pytest

from DPLSegmentLib.images.axes import painted_axis, painted_indices
from DPLSegmentLib.images.segmentation import Segmentation


@pytest.fixture
def liver(organs: Segmentation) -> np.ndarray:
    return organs.segments[0].mask


@pytest.mark.parametrize("axis", range(3))
def test_one_painted_slice_lies_across_its_axis(liver: np.ndarray, axis: int) -> None:
    index = painted_indices(liver, axis)[10]
    painted = only(liver, axis, [index])
    assert painted_axis(painted) == axis
    assert painted_indices(painted, axis) == [index]


@pytest.mark.parametrize("axis", range(3))
def test_several_painted_slices_are_all_found(liver: np.ndarray, axis: int) -> None:
    indices = painted_indices(liver, axis)[5:20:5]
    painted = only(liver, axis, indices)
    assert painted_axis(painted) == axis
    assert painted_indices(painted, axis) == indices


def test_a_structure_thick_every_way_counts_as_painted_along_z() -> None:
    ball = (np.indices((20, 20, 20)) - 10.0).__pow__(2).sum(axis=0) < 60
    assert painted_axis(ball) == 0
    assert painted_axis(ball[:, :, 5:]) == 0
    assert painted_indices(ball, 0) == list(range(3, 18))


def test_a_single_voxel_counts_as_painted_along_z() -> None:
    voxel = np.zeros((3, 3, 3), bool)
    voxel[1, 2, 0] = True
    assert painted_axis(voxel) == 0 and painted_indices(voxel, 0) == [1]


def test_nothing_painted_has_no_slices() -> None:
    empty = np.zeros((3, 4, 5), bool)
    assert painted_axis(empty) == 0 and painted_indices(empty, 2) == []


def only(mask: np.ndarray, axis: int, indices: list[int]) -> np.ndarray:
    painted = np.zeros_like(mask)
    np.moveaxis(painted, axis, 0)[indices] = np.moveaxis(mask, axis, 0)[indices]
    return painted
