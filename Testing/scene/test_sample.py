"""The bundled CT comes with one painted slice per organ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.resources import resource
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.painting import find_painting
from DPLSegmentLib.scene.sample import ORGANS, load_sample
from DPLSegmentLib.scene.scans import read_scan


def test_each_organ_has_its_largest_slice_painted(scene: Any, logics: Any, ct: Volume, truth: Segmentation) -> None:
    scan, painted = load_sample(scene, logics.segmentations, resource("SampleData"))
    volume = read_scan(scan)
    assert np.array_equal(volume.array, ct.array)
    assert np.allclose(volume.ijk_to_ras, ct.ijk_to_ras, atol=1e-4)
    painting = find_painting(painted, scan)
    support = painting.support(painting.slices)
    whole = {segment.name: segment.mask for segment in truth.segments}
    assert {segment.name for segment in support.segments} == set(ORGANS)
    for segment in support.segments:
        index = int(np.argmax(whole[segment.name].sum(axis=(1, 2))))
        assert np.array_equal(segment.mask[index], whole[segment.name][index])
        assert segment.mask.sum() == whole[segment.name][index].sum()
        assert "SCT^" in segment.tags["TerminologyEntry"]


def test_a_broken_installation_is_said(scene: Any, logics: Any, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="install the extension again"):
        load_sample(scene, logics.segmentations, tmp_path)
