"""Turning a scan without resampling keeps every voxel where it is in the patient."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from DPLSegmentLib.images.facing import facing, turn_to
from DPLSegmentLib.images.volume import Volume

_WAYS = ["".join(way) for names in permutations(("RL", "AP", "SI")) for way in product(*names)]


def _scan() -> Volume:
    """An axial scan as DICOM gives it, a little oblique, every voxel different."""
    turned = np.array([[0.99, 0.1, 0.0], [-0.1, 0.99, 0.05], [0.0, -0.05, 1.0]])
    matrix = np.eye(4)
    matrix[:3, :3] = turned @ np.diag([-0.8, -0.9, 2.5])
    matrix[:3, 3] = [40, -12, 7]
    return Volume(np.arange(4 * 5 * 6).reshape(4, 5, 6), matrix)


def places(scan: Volume) -> dict[int, tuple[float, ...]]:
    """Where each voxel lies in the patient, by its value."""
    k, j, i = np.indices(scan.array.shape).reshape(3, -1)
    points = scan.ijk_to_ras @ np.stack([i, j, k, np.ones_like(i)])
    return {value: tuple(point.round(6)) for value, point in zip(scan.array.ravel(), points[:3].T, strict=True)}


def test_a_usual_scan_leads_to_head_back_and_left() -> None:
    scan = _scan()
    assert facing(scan.ijk_to_ras) == "SPL"


@given(st.sampled_from(_WAYS))
def test_a_turned_scan_faces_the_wanted_way_and_no_voxel_moves(way: str) -> None:
    before = _scan()
    turned = turn_to(before.ijk_to_ras, way).volume(before)
    assert facing(turned.ijk_to_ras) == way
    assert places(turned) == places(before)


@given(st.sampled_from(_WAYS))
def test_what_is_turned_can_be_turned_back(way: str) -> None:
    before = _scan()
    turn = turn_to(before.ijk_to_ras, way)
    assert np.array_equal(turn.undone(turn.array(before.array)), before.array)


@given(st.sampled_from(_WAYS), st.integers(0, 2), st.integers(0, 3))
def test_slices_are_counted_both_ways(way: str, axis: int, index: int) -> None:
    before = _scan()
    turn = turn_to(before.ijk_to_ras, way)
    turned = turn.array(before.array)
    there = turn.index(axis, index, turned.shape[axis])
    assert np.array_equal(
        np.sort(turned.take(index, axis), None), np.sort(before.array.take(there, turn.order[axis]), None)
    )
    assert turn.index(axis, there, turned.shape[axis]) == index


def test_nothing_is_turned_that_faces_the_right_way() -> None:
    scan = _scan()
    assert turn_to(scan.ijk_to_ras, facing(scan.ijk_to_ras)).nothing
