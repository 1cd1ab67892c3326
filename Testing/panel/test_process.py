"""Segmenting from a script: no panel, no dialog, the same voxels as the command line."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DPLSegmentLib.cli import main
from DPLSegmentLib.images.reading import read_segmentation
from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.images.writing import write_segmentation
from DPLSegmentLib.panel.application import Application
from DPLSegmentLib.panel.session import Workers, process
from DPLSegmentLib.resources import resource
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.logics import SceneLogics
from DPLSegmentLib.scene.painting import find_painting
from Testing.panel.scans import copied, masks


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """One process for the tests of this file."""
    made = Workers()
    yield made
    made.stop()


@pytest.fixture
def application(scene: Any, logics: SceneLogics) -> Application:
    """What Slicer would give."""
    return Application(scene, logics.segmentations, sys.executable, True, sequences_logic=logics.sequences)


def run(application: Application, workers: Workers, *arguments: Any, **options: Any) -> Any:
    """`process` on the CPU."""
    return process(application, *arguments, device="cpu", workers=workers, **options)


def test_the_result_equals_that_of_the_command_line(
    application: Application, workers: Workers, sample: tuple[Any, Any], ct: Volume, tmp_path: Path
) -> None:
    scan, painted = sample
    painting = find_painting(painted, scan)
    write_segmentation(painting.support(painting.slices), tmp_path / "painted.seg.nrrd")
    image = str(resource("SampleData/example_ct.nii.gz"))
    output = tmp_path / "out"
    arguments = ["--support", image, "--painted", str(tmp_path / "painted.seg.nrrd"), "--output", str(output)]
    assert main(["propagate", *arguments, "--device", "cpu"]) == 0
    written = read_segmentation(output / "example_ct-segmentation.seg.nrrd")
    (kept,) = run(application, workers, scan, painted)
    found = masks(kept, scan)
    assert {name: int(mask.sum()) for name, mask in found.items()} == _sizes(written)
    for segment in written.segments:
        assert np.array_equal(found[segment.name], segment.mask)


def _sizes(written: Segmentation) -> dict[str, int]:
    return {segment.name: int(segment.mask.sum()) for segment in written.segments}


def test_the_painted_segmentation_is_not_changed(
    application: Application, workers: Workers, sample: tuple[Any, Any]
) -> None:
    scan, painted = sample
    before = masks(painted, scan)
    other = copied(scan, "Other")
    (kept,) = run(application, workers, scan, painted, [other], (60, 75))
    after = masks(painted, scan)
    assert kept.GetName() == "Other segmentation"
    assert all(np.array_equal(before[name], after[name]) for name in before)
    filled = np.flatnonzero(np.logical_or.reduce(list(masks(kept, other).values())).any((1, 2)))
    assert filled.min() >= 60 and filled.max() <= 75


def test_it_can_go_on_while_the_script_does_something_else(
    application: Application, workers: Workers, sample: tuple[Any, Any]
) -> None:
    ended = []
    job = run(application, workers, *sample, wait=False, on_done=ended.append)
    assert not job.done
    while not job.done:
        job.poll()
        time.sleep(0.01)
    assert ended == [job] and len(job.results) == 1 and not job.failures


def test_a_cancelled_job_leaves_nothing(
    application: Application, workers: Workers, sample: tuple[Any, Any], scene: Any
) -> None:
    before = scene.GetNumberOfNodes()
    job = run(application, workers, *sample, wait=False)
    job.poll()
    job.cancel()
    assert job.done and not job.results and scene.GetNumberOfNodes() == before


def test_bad_input_is_a_sentence(application: Application, workers: Workers, sample: tuple[Any, Any]) -> None:
    scan, painted = sample
    with pytest.raises(SceneError, match="There is no scan"):
        run(application, workers, None, painted)
    with pytest.raises(ValueError, match="no segmentation"):
        run(application, workers, scan, None)
    with pytest.raises(SceneError, match="no scan"):
        run(application, workers, scan, painted, [painted])
