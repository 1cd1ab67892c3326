"""Scans keep their place in the patient, whatever the order, sign, angle and spacing of their axes."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from DPLSegmentLib.images.axes import axis_name
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.images.resample import reformat, resample_like, resample_segmentation, same_grid
from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_volume

AXIS_ORDERS = [
    np.eye(3)[:, list(order)] * signs
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1.0, -1.0), repeat=3)
]
PRECISION = {".nii.gz": 2e-4, ".nrrd": 1e-9, ".mha": 1e-9}

angles = st.tuples(*[st.floats(-180, 180)] * 3)
spacings = st.tuples(*[st.floats(0.3, 10)] * 3)
origins = st.tuples(*[st.floats(-500, 500)] * 3)
axis_orders = st.sampled_from(AXIS_ORDERS)


def grid(directions: np.ndarray, spacing: tuple[float, ...], origin: tuple[float, ...]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = directions * spacing
    matrix[:3, 3] = origin
    return matrix


@st.composite
def grids(draw: st.DrawFn) -> np.ndarray:
    """Any order and sign of axes, turned by any angles: half of them left-handed."""
    rotation = Rotation.from_euler("xyz", draw(angles), degrees=True).as_matrix()
    return grid(rotation @ draw(axis_orders), draw(spacings), draw(origins))


def numbered(shape: tuple[int, int, int], ijk_to_ras: np.ndarray) -> Volume:
    """Every voxel has a number of its own."""
    return Volume(np.arange(np.prod(shape), dtype=np.int16).reshape(shape), ijk_to_ras, "numbered")


def reordered(volume: Volume, order: tuple[int, ...], flips: tuple[bool, ...]) -> Volume:
    """The same voxels at the same places, stored in another order: `order` and `flips` are of axes (i, j, k)."""
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1
    size = volume.shape[::-1]
    for new, old in enumerate(order):
        matrix[old, new] = -1 if flips[new] else 1
        matrix[old, 3] = size[old] - 1 if flips[new] else 0
    array = volume.array.transpose(2, 1, 0).transpose(order)
    array = array[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]
    return Volume(np.ascontiguousarray(array.transpose(2, 1, 0)), volume.ijk_to_ras @ matrix, volume.name)


@pytest.mark.parametrize("suffix", PRECISION)
@pytest.mark.parametrize("directions", AXIS_ORDERS)
def test_a_volume_in_any_axis_order_is_read_back_at_its_place(
    directions: np.ndarray, suffix: str, tmp_path: Path
) -> None:
    volume = numbered((3, 4, 5), grid(directions, (0.5, 1.5, 7.7), (-12.5, 30.25, 400.0)))
    write_volume(volume, tmp_path / f"scan{suffix}")
    again = read_volume(tmp_path / f"scan{suffix}")
    np.testing.assert_array_equal(again.array, volume.array)
    np.testing.assert_allclose(again.ijk_to_ras, volume.ijk_to_ras, atol=PRECISION[suffix])


@pytest.mark.parametrize("suffix", PRECISION)
@settings(max_examples=40, deadline=None)
@given(ijk_to_ras=grids())
def test_an_oblique_volume_is_read_back_at_its_place(
    suffix: str, ijk_to_ras: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / f"oblique{suffix}"
    volume = numbered((3, 4, 5), ijk_to_ras)
    write_volume(volume, file)
    again = read_volume(file)
    np.testing.assert_array_equal(again.array, volume.array)
    assert same_grid(again, volume, tolerance_mm=PRECISION[suffix] * 5)


@settings(max_examples=60, deadline=None)
@given(ijk_to_ras=grids(), order=st.permutations(range(3)), flips=st.tuples(*[st.booleans()] * 3))
def test_a_volume_stored_in_another_order_is_resampled_voxel_for_voxel(
    ijk_to_ras: np.ndarray, order: list[int], flips: tuple[bool, ...]
) -> None:
    volume = numbered((4, 5, 6), ijk_to_ras)
    other = reordered(volume, tuple(order), flips)
    np.testing.assert_array_equal(resample_like(other, volume, nearest=True).array, volume.array)


@settings(max_examples=30, deadline=None)
@given(ijk_to_ras=grids(), order=st.permutations(range(3)), flips=st.tuples(*[st.booleans()] * 3))
def test_segments_stored_in_another_order_are_the_same_segments(
    ijk_to_ras: np.ndarray, order: list[int], flips: tuple[bool, ...]
) -> None:
    volume = numbered((4, 5, 6), ijk_to_ras)
    other = reordered(volume, tuple(order), flips)
    painted = Segmentation((Segment("low", other.array < 17), Segment("odd", other.array % 2 == 1)), other.ijk_to_ras)
    low, odd = resample_segmentation(painted, volume).segments
    np.testing.assert_array_equal(low.mask, volume.array < 17)
    np.testing.assert_array_equal(odd.mask, volume.array % 2 == 1)


@settings(max_examples=40, deadline=None)
@given(ijk_to_ras=grids())
def test_a_volume_knows_its_spacing_and_voxel_size(ijk_to_ras: np.ndarray) -> None:
    volume = numbered((2, 3, 4), ijk_to_ras)
    z, y, x = volume.spacing
    np.testing.assert_allclose((x, y, z), np.linalg.norm(ijk_to_ras[:3, :3], axis=0))
    np.testing.assert_allclose(volume.voxel_millilitres, x * y * z / 1000)


@pytest.mark.parametrize("directions", AXIS_ORDERS)
def test_the_axes_of_a_volume_are_named_in_any_order(directions: np.ndarray) -> None:
    tilt = Rotation.from_euler("xyz", (10, -15, 20), degrees=True).as_matrix()
    names = [axis_name(grid(tilt @ directions, (0.5, 1.0, 9.0), (0, 0, 0)), axis) for axis in range(3)]
    normals = np.abs(directions).argmax(axis=0)[::-1]
    assert names == [("sagittal", "coronal", "axial")[normal] for normal in normals]


def test_grids_are_told_apart_by_place_and_size(crop: Volume) -> None:
    moved, shorter = crop.ijk_to_ras.copy(), crop.array[:-1]
    moved[0, 3] += 0.2
    assert same_grid(crop, crop)
    assert not same_grid(crop, Volume(crop.array, moved))
    assert same_grid(crop, Volume(crop.array, moved), tolerance_mm=0.3)
    assert not same_grid(crop, Volume(shorter, crop.ijk_to_ras))


def test_a_map_on_a_cropped_grid_returns_to_the_scan_voxel_for_voxel(ct: Volume, organs: Segmentation) -> None:
    offset = np.eye(4)
    offset[:3, 3] = (5, 10, 20)
    whole = organs.segments[2]
    cropped = Segmentation((whole.with_mask(whole.mask[20:, 10:, 5:]),), organs.ijk_to_ras @ offset)
    returned = resample_segmentation(cropped, ct).segments[0]
    expected = np.zeros_like(whole.mask)
    expected[20:, 10:, 5:] = whole.mask[20:, 10:, 5:]
    np.testing.assert_array_equal(returned.mask, expected)
    assert (returned.name, returned.value, returned.color) == (whole.name, whole.value, whole.color)


def test_a_map_in_finer_voxels_keeps_its_millilitres(ct: Volume, organs: Segmentation) -> None:
    whole = organs.segments[2].mask
    fine = np.repeat(np.repeat(np.repeat(whole, 2, 0), 2, 1), 2, 2)
    half = np.diag([0.5, 0.5, 0.5, 1.0])
    half[:3, 3] = -0.25
    returned = resample_segmentation(Segmentation((Segment("kidney", fine),), organs.ijk_to_ras @ half), ct)
    np.testing.assert_array_equal(returned.segments[0].mask, whole)


def test_a_thin_painted_slice_between_coarse_slices_is_not_lost(crop: Volume) -> None:
    thin = crop.ijk_to_ras @ np.diag([1, 1, 1 / 9, 1])
    painted = np.zeros((90, *crop.shape[1:]), bool)
    painted[40, 10:20, 30:50] = True
    returned = resample_segmentation(Segmentation((Segment("lesion", painted),), thin), crop).segments[0].mask
    assert np.flatnonzero(returned.any(axis=(1, 2))).tolist() == [4]
    np.testing.assert_array_equal(returned[4], painted[40])


def test_a_map_elsewhere_is_refused_by_name(crop: Volume, overlapping: Segmentation) -> None:
    elsewhere = crop.ijk_to_ras.copy()
    elsewhere[:3, 3] += 1000
    with pytest.raises(ImageError, match="painted lies outside crop.*do not overlap"):
        resample_segmentation(Segmentation(overlapping.segments, elsewhere, "painted"), crop)


def test_a_scan_reformatted_along_its_own_axes_is_unchanged(crop: Volume) -> None:
    k, j, i = crop.spacing
    plane = crop.ijk_to_ras @ np.diag([1 / i, 1 / j, 1 / k, 1])
    cut = reformat(crop, plane, crop.shape, crop.spacing)
    assert same_grid(cut, crop)
    np.testing.assert_allclose(cut.array, crop.array, atol=0.01)


@settings(max_examples=10, deadline=None)
@given(turn=angles)
def test_an_oblique_cut_finds_every_place_and_the_way_back(turn: tuple[float, ...]) -> None:
    """The voxels of a ramp say where they are: x + 2 y + 3 z in RAS."""
    ramp = ramp_on((24, 24, 24), grid(np.eye(3), (2.0, 2.0, 2.0), (-23, -23, -23)))
    rotation = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    plane = grid(rotation, (1, 1, 1), tuple(rotation @ (-8, -8, -9)))
    cut = reformat(ramp, plane, (7, 9, 9), (3.0, 2.0, 2.0))
    np.testing.assert_allclose(cut.array, ramp_on(cut.shape, cut.ijk_to_ras).array, atol=0.01)
    back = resample_like(cut, ramp, nearest=False).array
    i, j, k = np.linalg.inv(cut.ijk_to_ras)[:3] @ positions(ramp.shape, ramp.ijk_to_ras).reshape(-1, 4).T
    inside = ((i >= 0) & (i <= 8) & (j >= 0) & (j <= 8) & (k >= 0) & (k <= 6)).reshape(ramp.shape)
    assert inside.sum() > 400
    np.testing.assert_allclose(back[inside], ramp.array[inside], atol=0.02)


def ramp_on(shape: tuple[int, int, int], ijk_to_ras: np.ndarray) -> Volume:
    return Volume((positions(shape, ijk_to_ras) @ (1.0, 2.0, 3.0, 0.0)).astype(np.float32), ijk_to_ras)


def positions(shape: tuple[int, int, int], ijk_to_ras: np.ndarray) -> np.ndarray:
    """Where each voxel is: [z, y, x, 4], homogeneous RAS."""
    k, j, i = np.indices(shape)
    return np.stack([i, j, k, np.ones(shape)], axis=-1) @ ijk_to_ras.T
