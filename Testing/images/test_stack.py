"""Slices of the working size and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.stack import stack_along
from DPLSegmentLib.images.volume import Volume

sides = st.integers(3, 90)
millimetres = st.floats(0.3, 10)


@pytest.mark.parametrize("axis", range(3))
def test_slices_that_need_no_resampling_return_voxel_for_voxel(crop: Volume, axis: int) -> None:
    extents = [side for other, side in enumerate(crop.shape) if other != axis]
    stack = stack_along(crop.array, (1.0, 1.0, 1.0), axis, size=max(extents))
    working = stack.slices(0, stack.count)
    assert stack.pixel_mm == 1.0
    np.testing.assert_array_equal(stack.to_native(working), np.moveaxis(crop.array, axis, 0))


@settings(max_examples=60, deadline=None)
@given(shape=st.tuples(sides, sides, sides), spacing=st.tuples(*[millimetres] * 3), axis=st.integers(0, 2))
def test_the_working_shape_is_isotropic_and_padded(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], axis: int
) -> None:
    stack = stack_along(np.zeros(shape, np.uint8), spacing, axis, size=64)
    in_plane = [other for other in range(3) if other != axis]
    extents = np.array([shape[other] * spacing[other] for other in in_plane])
    assert stack.count == shape[axis] and stack.gap_mm == spacing[axis]
    assert max(stack.content) <= 64 and not any(side % 32 for side in stack.shape)
    assert stack.pixel_mm >= min(spacing[other] for other in in_plane) / 2.5 - 1e-9
    assert np.all(np.abs(extents / stack.pixel_mm - stack.content) <= 1)
    assert stack.slices(0, 1).shape == (1, *stack.shape)


@settings(max_examples=40, deadline=None)
@given(shape=st.tuples(sides, sides), spacing=st.tuples(millimetres, millimetres), data=st.data())
def test_a_mask_keeps_its_share_of_the_slice_and_its_centre(
    shape: tuple[int, int], spacing: tuple[float, float], data: st.DataObject
) -> None:
    stack = stack_along(np.zeros((2, *shape), np.uint8), (5.0, *spacing), 0, size=64)
    rows, columns = (
        sorted(data.draw(st.lists(st.integers(0, side), min_size=2, max_size=2, unique=True))) for side in shape
    )
    mask = np.zeros(shape, bool)
    mask[slice(*rows), slice(*columns)] = True
    working = stack.slice_to_working(mask)
    assert working.min() >= 0 and working.max() <= 1 + 1e-5
    np.testing.assert_allclose(working.sum() / np.prod(stack.content), mask.mean(), rtol=1e-3)
    for axis, (start, stop) in enumerate((rows, columns)):
        line = working.sum(axis=1 - axis)
        centre = (line @ (np.arange(line.size) + 0.5)) / line.sum() / stack.content[axis]
        assert abs(centre - (start + stop) / 2 / shape[axis]) <= 0.5 / stack.content[axis]


def test_a_real_slice_survives_the_way_there_and_back(ct: Volume) -> None:
    stack = stack_along(ct.array, ct.spacing, 0, size=256)
    returned = stack.to_native(stack.slices(50, 60))
    assert stack.content == (212, 256)
    assert np.abs(returned - ct.array[50:60]).mean() < 18


def test_a_real_organ_survives_the_way_there_and_back(ct: Volume, organs: Segmentation) -> None:
    kidney = organs.segments[2].mask
    stack = stack_along(ct.array, ct.spacing, 1, size=256)
    index = int(kidney.sum(axis=(0, 2)).argmax())
    mask = stack.native_slice(kidney, index)
    returned = stack.to_native(stack.slice_to_working(mask)[None])[0] > 0.5
    assert 2 * (mask & returned).sum() / (mask.sum() + returned.sum()) > 0.99


def test_what_is_between_the_middles_of_wide_voxels_counts_on_the_way_back() -> None:
    stack = stack_along(np.zeros((1, 40, 40)), (1.0, 1.0, 1.0), 0, size=100)
    lines = np.zeros((1, *stack.shape), np.float32)
    lines[:, :, ::5] = 1.0
    assert stack.content == (100, 100)
    assert stack.to_native(lines)[0, :, 2:-2].mean() == pytest.approx(0.2, abs=0.005)


def test_fine_detail_is_averaged_and_not_dropped_when_shrinking() -> None:
    checks = np.indices((1, 512, 512)).sum(axis=0) % 2 * 100.0
    working = stack_along(checks, (1.0, 1.0, 1.0), 0, size=128).slices(0, 1)
    assert np.abs(working[:, 2:-2, 2:-2] - 50).max() < 3


@pytest.mark.parametrize("axis", range(3))
def test_a_slice_put_into_a_volume_is_found_there(axis: int) -> None:
    labels = np.zeros((4, 5, 6), bool)
    stack = stack_along(labels, (1.0, 1.0, 1.0), axis)
    mask = np.zeros(stack.native, bool)
    mask[1, 2] = True
    stack.put(labels, 3, mask)
    np.testing.assert_array_equal(stack.native_slice(labels, 3), mask)
    assert labels.sum() == 1 and np.argwhere(labels)[0, axis] == 3


@pytest.mark.parametrize("axis", range(3))
def test_a_closer_look_shows_the_same_place_through_smaller_pixels(crop: Volume, axis: int) -> None:
    extents = [side for other, side in enumerate(crop.shape) if other != axis]
    stack = stack_along(crop.array, (1.0, 1.0, 1.0), axis, size=max(extents))
    closer = stack.through(0.5, (4, 6, 20, 30))
    assert closer.content == (32, 48) and closer.native == stack.native
    back = closer.to_native(closer.slices(0, closer.count))
    shown = np.moveaxis(crop.array, axis, 0)[:, 4:20, 6:30].astype(np.float32)
    assert np.abs(back[:, 4:20, 6:30] - shown).mean() < 0.15 * shown.std()
    assert not back[:, :4].any() and not back[:, :, 30:].any()
