"""Painting in a reformatted plane gives the same structure as painting along the array."""

from __future__ import annotations

import numpy as np
import pytest

from DPLSegmentLib.evaluation.metrics import dice
from DPLSegmentLib.images.segmentation import Segment, Segmentation
from DPLSegmentLib.images.slanted import slanted_normal
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.types import Propagation, SliceResult, Support


@pytest.fixture(scope="module")
def slab(liver_ct: Volume) -> np.ndarray:
    """One voxel along a plane that is tilted by 25 degrees, through the middle of the crop."""
    normal = np.array([0.0, np.sin(np.radians(25)), np.cos(np.radians(25))])
    spacing = np.array(liver_ct.spacing)[::-1]
    voxels = np.indices(liver_ct.shape).reshape(3, -1).T[:, ::-1] * spacing
    height = (voxels - voxels.mean(0)) @ normal
    return (np.abs(height) <= float((np.abs(normal) * spacing).sum()) / 2).reshape(liver_ct.shape)


@pytest.fixture(scope="module")
def slanted(liver_ct: Volume, liver_truth: Segmentation, slab: np.ndarray) -> Support:
    """Liver and right kidney painted on that plane."""
    segments = [s.with_mask(s.mask & slab) for s in liver_truth.segments if s.name in ("liver", "right kidney")]
    return Support(liver_ct, Segmentation(tuple(segments), liver_ct.ijk_to_ras, "painted"))


@pytest.fixture(scope="module")
def result(engine: Engine, slanted: Support) -> Propagation:
    return engine.propagate([slanted], slanted.volume)


def test_the_painting_is_recognised_as_slanted(slanted: Support) -> None:
    for segment in slanted.painted.segments:
        assert slanted_normal(segment.mask, slanted.volume.ijk_to_ras) is not None


def test_a_slanted_painting_finds_the_organs_on_the_scans_own_grid(
    result: Propagation, slanted: Support, liver_truth: Segmentation
) -> None:
    truth = {segment.name: segment.mask for segment in liver_truth.segments}
    assert result.segmentation.shape == slanted.volume.shape == result.confidence.shape
    for segment in result.segmentation.segments:
        assert float(truth[segment.name][segment.mask].mean()) > 0.9
        assert dice(segment.mask, truth[segment.name]) > 0.5


def test_what_was_painted_stays(result: Propagation, slanted: Support) -> None:
    painted = {segment.name: segment.mask for segment in slanted.painted.segments}
    for segment in result.segmentation.segments:
        assert bool(segment.mask[painted[segment.name]].all())


def test_confidence_and_volume_belong_to_the_result(result: Propagation, slanted: Support) -> None:
    assert float(result.confidence.array.min()) >= 0 and float(result.confidence.array.max()) <= 1
    for report, segment in zip(result.structures, result.segmentation.segments, strict=True):
        expected = float(segment.mask.sum()) * slanted.volume.voxel_millilitres
        assert report.millilitres == pytest.approx(expected)


def test_no_slices_are_streamed_that_the_scan_does_not_have(engine: Engine, slanted: Support) -> None:
    streamed: list[SliceResult] = []
    engine.propagate([slanted], slanted.volume, on_slice=streamed.append)
    assert not streamed


def test_a_slanted_support_serves_another_scan(engine: Engine, slanted: Support, liver_truth: Segmentation) -> None:
    other = Volume(slanted.volume.array + np.int16(3), slanted.volume.ijk_to_ras, "other")
    found = engine.propagate([slanted], other)
    truth = {segment.name: segment.mask for segment in liver_truth.segments}
    liver = next(segment for segment in found.segmentation.segments if segment.name == "liver")
    assert dice(liver.mask, truth["liver"]) > 0.6


def test_voxels_of_nothing_are_left_alone(engine: Engine, liver_ct: Volume, slab: np.ndarray) -> None:
    empty = Segment("nothing", np.zeros(liver_ct.shape, bool))
    some = Segment("some", slab & (np.indices(liver_ct.shape)[2] < 40) & (np.indices(liver_ct.shape)[2] > 20))
    support = Support(liver_ct, Segmentation((some, empty), liver_ct.ijk_to_ras, "painted"))
    names = [segment.name for segment in engine.propagate([support], liver_ct).segmentation.segments]
    assert names == ["some"]
