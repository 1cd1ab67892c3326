"""Scans and structures that are small, thin, thick or at the edge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.types import Support

Paint = Callable[..., Support]


def cropped(volume: Volume, mask: np.ndarray, box: tuple[slice, slice, slice]) -> tuple[Volume, np.ndarray]:
    """A part of a scan and of a mask; a step in the box makes the voxels longer."""
    steps = np.diag([*(part.step or 1 for part in box[::-1]), 1.0])
    return Volume(volume.array[box].copy(), volume.ijk_to_ras @ steps), mask[box].copy()


def checked(engine: Engine, support: Support) -> np.ndarray:
    """The mask of the only structure, after what must hold in any case."""
    found = engine.propagate([support], support.volume)
    (segment,), painted = found.segmentation.segments, support.painted.segments[0].mask
    assert segment.mask.shape == support.volume.shape
    assert not (painted & ~segment.mask).any()
    assert bool(np.isfinite(found.confidence.array).all())
    return segment.mask


@pytest.mark.parametrize("pixels", [[(0, 0)], [(0, 0), (0, 1)], [(0, 0), (1, 1)], [(0, 0), (0, 1), (1, 0), (1, 1)]])
def test_a_structure_of_one_to_four_pixels_does_no_harm(
    engine: Engine, kidney_ct: Volume, pixels: list[tuple[int, int]]
) -> None:
    mask = np.zeros(kidney_ct.shape, bool)
    for row, column in pixels:
        mask[12, 20 + row, 25 + column] = True
    support = Support(kidney_ct, Segmentation((Segment("speck", mask),), kidney_ct.ijk_to_ras))
    assert np.array_equal(checked(engine, support)[12], mask[12])


@pytest.mark.parametrize("corner", [(0, 0, 0), (-1, -1, -1), (0, -1, 0)])
def test_a_structure_in_the_corner_of_the_scan_does_no_harm(
    engine: Engine, kidney_ct: Volume, corner: tuple[int, int, int]
) -> None:
    mask = np.zeros(kidney_ct.shape, bool)
    mask[corner] = True
    checked(engine, Support(kidney_ct, Segmentation((Segment("corner", mask),), kidney_ct.ijk_to_ras)))


def test_a_structure_may_touch_the_border_of_the_scan(
    engine: Engine, kidney_ct: Volume, kidney_mask: np.ndarray, paint: Paint
) -> None:
    row, column = (int(places.mean()) for places in np.nonzero(kidney_mask)[1:])
    volume, mask = cropped(kidney_ct, kidney_mask, (slice(5, 20), slice(row, None), slice(column, None)))
    assert mask[:, 0].any() and mask[:, :, 0].any()
    assert checked(engine, paint(volume, mask))[:, 0].any()


@pytest.mark.parametrize("steps", [(6, 1, 1), (1, 5, 1)])
@pytest.mark.parametrize("axis", [0, 2])
def test_voxels_may_be_much_longer_than_wide(
    engine: Engine, kidney_ct: Volume, kidney_mask: np.ndarray, paint: Paint, steps: tuple[int, int, int], axis: int
) -> None:
    z, y, x = (slice(None, None, step) for step in steps)
    volume, mask = cropped(kidney_ct, kidney_mask, (z, y, x))
    assert max(volume.spacing) >= 15
    checked(engine, paint(volume, mask, axis))


def test_two_slices_are_a_scan(engine: Engine, kidney_ct: Volume, kidney_mask: np.ndarray, paint: Paint) -> None:
    volume, mask = cropped(kidney_ct, kidney_mask, (slice(12, 14), slice(None), slice(None)))
    assert checked(engine, paint(volume, mask, slices=[0]))[1].any()


@pytest.mark.parametrize("size", [(40, 60), (60, 40), (9, 33)])
def test_slices_need_not_be_square(
    engine: Engine, ct: Volume, truth: Segmentation, paint: Paint, size: tuple[int, int]
) -> None:
    kidney = next(segment.mask for segment in truth.segments if segment.name == "right kidney")
    box = (slice(80, 90), slice(36, 36 + size[0]), slice(62, 62 + size[1]))
    checked(engine, paint(*cropped(ct, kidney, box)))


def test_a_scan_whose_only_body_is_its_last_row_does_no_harm(engine: Engine, kidney_ct: Volume) -> None:
    array = np.full((4, 64, 64), -1000, np.int16)
    array[:, -1], mask = 40, np.zeros(array.shape, bool)
    mask[1, -1, 10:30] = True
    volume = Volume(array, np.eye(4))
    support = Support(volume, Segmentation((Segment("row", mask),), volume.ijk_to_ras))
    engine.propagate([support], kidney_ct)
    engine.propagate(engine.prototypes([support]), volume)
    checked(engine, support)


def test_a_structure_that_fills_its_slice_does_no_harm(engine: Engine, kidney_ct: Volume) -> None:
    mask = np.zeros(kidney_ct.shape, bool)
    mask[10] = True
    checked(engine, Support(kidney_ct, Segmentation((Segment("all", mask),), kidney_ct.ijk_to_ras)))
