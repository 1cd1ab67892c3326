"""Slices painted in a reformatted plane."""

from __future__ import annotations

import numpy as np
import pytest

from DPLSegmentLib.images.resample import resample_like
from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.slanted import slanted_normal, straightened
from DPLSegmentLib.images.volume import Volume

SHAPE = (40, 60, 70)


def normal_at(degrees: float, turn: float = 0.0) -> np.ndarray:
    tilt, around = np.radians([degrees, turn])
    return np.array([np.sin(tilt) * np.cos(around), np.sin(tilt) * np.sin(around), np.cos(tilt)])


def centres(scan: Volume) -> np.ndarray:
    voxels = np.indices(scan.shape).reshape(3, -1).T[:, ::-1]
    return voxels @ scan.ijk_to_ras[:3, :3].T + scan.ijk_to_ras[:3, 3]


def painted_disc(scan: Volume, normal: np.ndarray, radius: float, height: float = 0.0) -> np.ndarray:
    """What a brush leaves in a reformatted view: voxels within half a voxel of the plane."""
    points = centres(scan)
    off = points - points.mean(0) - height * normal
    thick = float(np.abs(normal @ scan.ijk_to_ras[:3, :3]).sum()) / 2
    inside = (np.abs(off @ normal) <= thick) & (np.linalg.norm(off - np.outer(off @ normal, normal), axis=1) < radius)
    return inside.reshape(scan.shape)


@pytest.fixture(params=[(1.0, 1.0, 1.0), (3.0, 0.9, 0.9), (1.2, 2.0, 1.0)])
def scan(request: pytest.FixtureRequest) -> Volume:
    grid = np.diag([*request.param[::-1], 1.0])
    grid[:3, 3] = (-20, 30, 5)
    rows = np.linspace(0, 100, SHAPE[1], dtype=np.float32)[None, :, None]
    return Volume(np.broadcast_to(rows, SHAPE).copy(), grid, "scan")


@pytest.mark.parametrize("degrees", [15, 30, 45, 60])
@pytest.mark.parametrize("turn", [0, 35, 200])
def test_the_normal_of_a_slanted_painting_is_found(scan: Volume, degrees: float, turn: float) -> None:
    normal = normal_at(degrees, turn)
    found = slanted_normal(painted_disc(scan, normal, 18), scan.ijk_to_ras)
    assert found is not None and abs(float(found @ normal)) > 0.99


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("slices", [1, 2, 3, 8])
def test_slices_along_the_array_are_not_slanted(scan: Volume, axis: int, slices: int) -> None:
    mask = np.zeros(SHAPE, bool)
    np.moveaxis(mask, axis, 0)[10 : 10 + slices, 8:25, 9:30] = True
    assert slanted_normal(mask, scan.ijk_to_ras) is None


def test_an_empty_mask_and_a_speck_are_not_slanted(scan: Volume) -> None:
    mask = np.zeros(SHAPE, bool)
    assert slanted_normal(mask, scan.ijk_to_ras) is None
    mask[5, 5, 5] = True
    assert slanted_normal(mask, scan.ijk_to_ras) is None


@pytest.mark.parametrize("turn", [0, 35, 200])
def test_a_straightened_painting_lies_on_one_slice_and_keeps_its_area(scan: Volume, turn: float) -> None:
    normal = normal_at(30, turn)
    painted = Segmentation((Segment("disc", painted_disc(scan, normal, 18)),), scan.ijk_to_ras)
    straight, slices = straightened(scan, painted, normal)
    mask = slices.segments[0].mask
    filled = np.flatnonzero(mask.any((1, 2)))
    _, high, wide = straight.spacing
    assert len(filled) == 1 and mask.sum() * high * wide == pytest.approx(np.pi * 18**2, rel=0.15)


def test_two_parallel_paintings_lie_on_two_slices(scan: Volume) -> None:
    normal = normal_at(30)
    both = painted_disc(scan, normal, 15, -6) | painted_disc(scan, normal, 15, 6)
    painted = Segmentation((Segment("disc", both),), scan.ijk_to_ras)
    straight, slices = straightened(scan, painted, normal)
    filled = np.flatnonzero(slices.segments[0].mask.any((1, 2)))
    assert len(filled) == 2 and (filled[1] - filled[0]) * straight.spacing[0] == pytest.approx(
        12, abs=straight.spacing[0]
    )


def test_the_straightened_scan_shows_the_same_patient(scan: Volume) -> None:
    normal = normal_at(30, 35)
    painted = Segmentation((Segment("disc", painted_disc(scan, normal, 18)),), scan.ijk_to_ras)
    straight, _ = straightened(scan, painted, normal)
    back = resample_like(straight, scan, nearest=False).array
    middle = tuple(slice(n // 3, -n // 3) for n in SHAPE)
    assert np.abs(back - scan.array)[middle].max() < 2.5
