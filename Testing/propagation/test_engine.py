"""From painted slices to a volume, on the scan itself: what holds for any weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage

from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.types import Propagation, PropagationError, Support

Paint = Callable[..., Support]


def masks_of(found: Propagation) -> list[np.ndarray]:
    """The masks of the result."""
    return [segment.mask for segment in found.segmentation.segments]


def painted_is_kept(found: Propagation, support: Support) -> bool:
    """Whether the slices that were painted are in the result, voxel for voxel."""
    pairs = zip(found.segmentation.segments, support.painted.segments, strict=True)
    for segment, painted in pairs:
        drawn = np.moveaxis(painted.mask, found.axis, 0)
        slices = drawn.any((1, 2))
        if not np.array_equal(np.moveaxis(segment.mask, found.axis, 0)[slices], drawn[slices]):
            return False
    return True


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Dice of two masks."""
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@pytest.fixture(scope="module")
def found(engine: Engine, kidney_support: Support, kidney_ct: Volume) -> Propagation:
    """Right kidney and liver on the small crop."""
    return engine.propagate([kidney_support], kidney_ct)


def test_painted_slices_stay_as_they_are_voxel_for_voxel(found: Propagation, kidney_support: Support) -> None:
    assert painted_is_kept(found, kidney_support)


def test_structures_grow_beyond_their_painted_slice(found: Propagation) -> None:
    for mask in masks_of(found):
        assert mask.any((1, 2)).sum() > 3


def test_structures_of_one_pass_do_not_overlap(found: Propagation) -> None:
    assert int(np.sum(masks_of(found), axis=0).max()) == 1


def test_structures_keep_name_value_and_colour(found: Propagation, kidney_support: Support) -> None:
    for segment, painted in zip(found.segmentation.segments, kidney_support.painted.segments, strict=True):
        assert (segment.name, segment.value, segment.color) == (painted.name, painted.value, painted.color)


def test_segmentation_and_confidence_lie_on_the_grid_of_the_scan(found: Propagation, kidney_ct: Volume) -> None:
    assert found.segmentation.shape == found.confidence.shape == kidney_ct.shape
    assert np.array_equal(found.segmentation.ijk_to_ras, kidney_ct.ijk_to_ras)
    assert found.confidence.array.dtype == np.float32
    assert float(found.confidence.array.min()) >= 0 and 0.5 < float(found.confidence.array.max()) <= 1
    assert not found.confidence.array[~np.any(masks_of(found), axis=0)].any()


def test_reports_say_size_confidence_and_the_slice_to_paint_next(
    found: Propagation, kidney_support: Support, kidney_ct: Volume
) -> None:
    for report, segment, painted in zip(
        found.structures, found.segmentation.segments, kidney_support.painted.segments, strict=True
    ):
        assert report.name == segment.name
        assert report.millilitres == pytest.approx(segment.mask.sum() * kidney_ct.voxel_millilitres)
        assert 0 <= report.confidence <= 1
        assert report.next_slice is not None and not painted.mask[report.next_slice].any()
    assert found.next_slice in [report.next_slice for report in found.structures]
    assert found.seconds.keys() == {"prototypes", "embed", "sweep", "polish"}


def test_the_same_input_gives_the_same_mask_bit_for_bit(
    found: Propagation, cold_engine: Engine, kidney_support: Support, kidney_ct: Volume
) -> None:
    again = cold_engine.propagate([kidney_support], kidney_ct)
    assert all(np.array_equal(a, b) for a, b in zip(masks_of(found), masks_of(again), strict=True))
    assert np.array_equal(found.confidence.array, again.confidence.array)


def test_a_copy_of_the_scan_is_known_to_be_the_scan(
    engine: Engine, found: Propagation, kidney_support: Support, kidney_ct: Volume
) -> None:
    again = engine.propagate([kidney_support], kidney_ct.with_array(kidney_ct.array.copy()))
    assert all(np.array_equal(a, b) for a, b in zip(masks_of(found), masks_of(again), strict=True))


def test_a_structure_is_what_hangs_on_its_paint_whatever_else_is_painted(
    engine: Engine, found: Propagation, kidney_support: Support, kidney_ct: Volume
) -> None:
    kidney = Segmentation(kidney_support.painted.segments[:1], kidney_ct.ijk_to_ras)
    (alone,) = masks_of(engine.propagate([Support(kidney_ct, kidney)], kidney_ct))
    parts, _ = ndimage.label(alone)
    assert set(np.unique(parts)) == {0} | set(np.unique(parts[kidney.segments[0].mask]))
    first, second = masks_of(found)
    assert not (first & ~alone).any()
    assert not (alone & ~first & ~second).any()


def test_one_slice_of_the_liver_is_better_than_its_copies(
    engine: Engine, liver_ct: Volume, liver_truth: Segmentation, paint: Paint
) -> None:
    truth = liver_truth.segments[0].mask
    support = paint(liver_ct, truth)
    (mask,) = masks_of(engine.propagate([support], liver_ct))
    copies = np.broadcast_to(support.painted.segments[0].mask.any(0), truth.shape)
    assert dice(mask, truth) > dice(copies, truth)


def test_four_organs_come_out_of_one_pass_without_overlap(
    engine: Engine, liver_ct: Volume, liver_truth: Segmentation, paint: Paint
) -> None:
    drawn = [
        segment.with_mask(paint(liver_ct, segment.mask).painted.segments[0].mask) for segment in liver_truth.segments
    ]
    support = Support(liver_ct, Segmentation(tuple(drawn), liver_ct.ijk_to_ras))
    organs = engine.propagate([support], liver_ct)
    assert [report.name for report in organs.structures] == [segment.name for segment in liver_truth.segments]
    assert int(np.sum(masks_of(organs), axis=0).max()) == 1
    assert painted_is_kept(organs, support)


def test_several_painted_slices_are_all_kept(
    engine: Engine, kidney_ct: Volume, kidney_mask: np.ndarray, paint: Paint
) -> None:
    support = paint(kidney_ct, kidney_mask, slices=[6, 13, 14, 20])
    several = engine.propagate([support], kidney_ct)
    assert painted_is_kept(several, support)
    assert several.structures[0].next_slice not in (6, 13, 14, 20)


@pytest.mark.parametrize("axis", [1, 2])
def test_a_slice_may_be_painted_across_any_axis(
    engine: Engine, kidney_ct: Volume, kidney_mask: np.ndarray, paint: Paint, axis: int
) -> None:
    support = paint(kidney_ct, kidney_mask, axis)
    across = engine.propagate([support], kidney_ct)
    assert across.axis == axis
    assert painted_is_kept(across, support)
    assert masks_of(across)[0].sum() > support.painted.segments[0].mask.sum()


def test_nothing_painted_is_said(engine: Engine, kidney_ct: Volume) -> None:
    empty = Segmentation((Segment("liver", np.zeros(kidney_ct.shape, bool)),), kidney_ct.ijk_to_ras)
    with pytest.raises(PropagationError, match="Nothing is painted on kidney; paint .* try again"):
        engine.propagate([Support(kidney_ct, empty)], kidney_ct)


def test_no_support_at_all_is_said(engine: Engine, kidney_ct: Volume) -> None:
    with pytest.raises(PropagationError, match="no painted scan"):
        engine.propagate([], kidney_ct)


def test_a_segment_without_paint_is_left_out(engine: Engine, kidney_ct: Volume, kidney_support: Support) -> None:
    empty = Segment("spleen", np.zeros(kidney_ct.shape, bool))
    painted = Segmentation((empty, *kidney_support.painted.segments), kidney_ct.ijk_to_ras)
    names = [report.name for report in engine.propagate([Support(kidney_ct, painted)], kidney_ct).structures]
    assert names == [segment.name for segment in kidney_support.painted.segments]
