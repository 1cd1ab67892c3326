"""The small parts: regions, the patient's box, polishing, confidence."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from DPLSegmentLib.propagation.body import PRIOR_SIZE, body_box, from_body, to_body
from DPLSegmentLib.propagation.confidence import next_to_paint, plain_margin, voxel_confidence
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.polish import (
    box_of,
    connected,
    native_part,
    native_probability,
    smooth_across,
    without_overlap,
)
from DPLSegmentLib.propagation.region import region_around

SIDES = st.sampled_from([32, 64, 96, 128, 160, 224, 256])
SHARES = st.floats(0, 1)


@given(SIDES, SIDES, SHARES, SHARES, SHARES, SHARES)
def test_a_region_holds_the_mask_and_fits_the_embedding(
    height: int, width: int, top: float, left: float, bottom: float, right: float
) -> None:
    rows = sorted((int(top * (height - 1)), int(bottom * (height - 1))))
    columns = sorted((int(left * (width - 1)), int(right * (width - 1))))
    mask = torch.zeros(height, width)
    mask[rows[0] : rows[1] + 1, columns[0] : columns[1] + 1] = 1
    region = region_around(mask)
    assert 0 <= region.top <= rows[0] and rows[1] < region.bottom <= height
    assert 0 <= region.left <= columns[0] and columns[1] < region.right <= width
    for first, last, side in ((region.top, region.bottom, height), (region.left, region.right, width)):
        assert first % 4 == 0 and (last - first) % 32 == 0 and last - first >= min(128, side)


@given(SIDES, SIDES, SHARES, SHARES)
def test_what_is_cut_and_pasted_back_is_where_it_was(height: int, width: int, row: float, column: float) -> None:
    image, mask = torch.arange(1.0, height * width + 1).view(height, width), torch.zeros(height, width)
    mask[int(row * (height - 1)), int(column * (width - 1))] = 1
    region = region_around(mask)
    pasted = region.paste(region.cut(image), image)
    assert torch.equal(region.cut(pasted), region.cut(image))
    assert int((pasted != 0).sum()) == (region.bottom - region.top) * (region.right - region.left)
    small = region.scaled(4).cut(image[::4, ::4])
    assert torch.equal(small, region.cut(image)[::4, ::4])


def test_around_nothing_the_region_is_the_whole_slice() -> None:
    image = torch.ones(96, 160)
    assert torch.equal(region_around(torch.zeros(96, 160)).cut(image), image)


@settings(max_examples=50)
@given(SIDES, SIDES, SHARES, SHARES, st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_place_goes_to_the_body_and_back_wherever_the_body_is(
    height: int, width: int, top: float, left: float, tall: float, wide: float
) -> None:
    images = torch.zeros(2, height, width)
    row, column = int(top * (height - 1)), int(left * (width - 1))
    images[:, row : row + max(1, int(tall * height)), column : column + max(1, int(wide * width))] = 1
    box, shape = body_box(images), (height // 4, width // 4)
    place = to_body(torch.ones(shape), box, 4)
    assert place.shape == (PRIOR_SIZE, PRIOR_SIZE)
    back = from_body(place, box, 4, shape)
    assert back.shape == shape and bool((back[back > 0] > 0.999).all()) and bool(back.any())


def test_the_body_of_the_crop_is_found(kidney_embedding: Embedding) -> None:
    top, left, bottom, right = body_box(kidney_embedding.images)
    height, width = kidney_embedding.stack.content
    assert bottom - top > 0.8 * height and right - left > 0.8 * width


def test_a_scan_of_air_has_the_whole_slice_as_body() -> None:
    assert body_box(torch.zeros(3, 32, 64)) == (0, 0, 32, 64)


def test_only_components_that_touch_the_paint_stay() -> None:
    mask = np.zeros((3, 8, 8), bool)
    mask[:, 1:3, 1:3] = mask[1, 5:7, 5:7] = mask[0, 7, 0] = True
    anchor = np.zeros((8, 8), bool)
    anchor[6, 6] = True
    kept = connected(mask, {1: anchor})
    assert kept.sum() == 4 and kept[1, 5, 5]
    assert connected(mask, {}).sum() == 12
    assert not connected(np.zeros_like(mask), {1: anchor}).any()
    assert np.array_equal(connected(mask, {0: anchor, 1: anchor}), kept)


def test_the_box_of_a_mask_holds_all_of_it_and_nothing_more() -> None:
    mask = np.zeros((4, 6, 7), bool)
    assert mask[box_of(mask)].size == 0
    mask[1:3, 2, 4] = mask[2, 5, 0] = True
    assert box_of(mask) == (slice(1, 3), slice(2, 6), slice(0, 5))


@given(st.integers(0, 1000), st.integers(1, 4))
def test_masks_share_no_voxel_lose_none_and_the_likelier_wins(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    probabilities = [generator.random((2, 5, 5)) for _ in range(count)]
    masks = [probability > 0.4 for probability in probabilities]
    cleared = without_overlap(masks, probabilities)
    assert np.sum(cleared, axis=0).max() <= 1
    assert np.array_equal(np.any(cleared, axis=0), np.any(masks, axis=0))
    winner = np.argmax(probabilities, axis=0)
    for number, mask in enumerate(cleared):
        assert np.array_equal(mask, masks[number] & (winner == number))


def test_thin_slices_are_mixed_a_little_and_painted_or_thick_ones_are_not() -> None:
    probability = torch.zeros(5, 2, 2)
    probability[2] = 1
    mixed = smooth_across(probability, 1.0, [3])
    assert mixed[:, 0, 0].tolist() == pytest.approx([0, 0.15, 0.7, 0, 0])
    assert smooth_across(probability, 6.0, []) is probability


@given(st.integers(0, 1000), st.integers(2, 12))
def test_the_slice_to_paint_next_was_visited_and_is_not_painted(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    visited, confidence = generator.random(count) < 0.7, generator.random(count)
    painted = sorted(set(generator.integers(0, count, 2).tolist()))
    following = next_to_paint(confidence, visited, painted, generator.integers(0, 50, count))
    if following is not None:
        assert visited[following] and following not in painted


def test_of_slices_as_doubtful_the_middle_of_the_widest_stretch_is_painted_next() -> None:
    visited, sizes = np.ones(30, bool), np.where(np.arange(30) > 3, 9, 0)
    assert next_to_paint(np.full(30, 0.5), visited, [10], sizes) == 20
    assert next_to_paint(np.where(np.arange(30) == 15, 0.2, 0.5), visited, [10], sizes) == 15


def test_where_nothing_was_reached_there_is_nothing_to_paint_next() -> None:
    nothing = np.zeros(5, bool)
    assert next_to_paint(np.ones(5), nothing, [2], np.zeros(5, int)) is None


def test_a_sweep_that_is_sure_of_everything_still_names_a_slice_it_reached() -> None:
    visited = np.array([False, False, False, True, True, True, True])
    following = next_to_paint(np.ones(7), visited, [3], np.full(7, 9))
    assert following in (5, 6)


THREE = np.array([[[0.0, 0.5, 1.0]]], np.float16)


def sure(probability: np.ndarray = THREE, score: float = 0.5, of_slice: float = 0.8) -> list[float]:
    """The confidence of the voxels of one slice."""
    scores = np.full(probability.shape, score, np.float16)
    return voxel_confidence(probability, scores, np.array([of_slice], np.float32)).ravel().tolist()


def test_confidence_is_highest_far_from_a_toss_up() -> None:
    outside, border, inside = sure()
    assert outside == inside > 0.8 > border > 0
    assert inside == pytest.approx(0.9505, abs=1e-3) and border == pytest.approx(0.4758, abs=1e-3)


def test_confidence_rises_with_that_of_the_slice_and_with_the_score_of_the_variants() -> None:
    for least, more, most in zip(sure(of_slice=0), sure(score=0.1), sure(score=0.9), strict=True):
        assert 0 < least < more < most < 1


def test_the_plain_margin_asks_neither_slice_nor_variants() -> None:
    margin = plain_margin(THREE, np.full(THREE.shape, 0.3, np.float16), np.array([0.8], np.float32))
    assert margin.tolist() == [[[1.0, 0.0, 1.0]]]


@given(first=st.integers(0, 5), rows=st.integers(0, 60), columns=st.integers(0, 60), side=st.integers(1, 20))
def test_a_part_of_the_voxels_is_what_the_whole_has_there(
    kidney_embedding: Embedding, first: int, rows: int, columns: int, side: int
) -> None:
    maps = torch.rand(kidney_embedding.images.shape, generator=torch.Generator().manual_seed(first))
    box = (slice(first, first + 2), slice(rows, rows + side), slice(columns, columns + side))
    whole = native_probability(maps, kidney_embedding, np.arange(len(maps)))
    assert np.array_equal(native_part(maps, kidney_embedding, box), whole[box])


def test_nothing_has_no_voxels(kidney_embedding: Embedding) -> None:
    nothing = (slice(0, 0), slice(0, 0), slice(0, 0))
    assert native_part(torch.zeros(kidney_embedding.images.shape), kidney_embedding, nothing).size == 0
