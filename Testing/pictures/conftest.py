"""Results to draw."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Propagation, StructureReport

MakeResult = Callable[..., Propagation]


@pytest.fixture
def make_result() -> MakeResult:
    """A propagation that found what a segmentation holds, swept along an axis."""
    return result_of


def result_of(volume: Volume, found: Segmentation, axis: int = 0) -> Propagation:
    """A propagation with confidence 0.8 wherever something was found."""
    confidence = np.where(found.labelmap() > 0, 0.8, 0.0).astype(np.float32)
    reports = tuple(
        StructureReport(segment.name, float(segment.mask.sum()) * volume.voxel_millilitres, 0.8, 3)
        for segment in found.segments
    )
    seconds = {"embed": 1.0, "sweep": 0.5}
    return Propagation(found, volume.with_array(confidence), reports, axis, 3, seconds, "CPU", "model")
