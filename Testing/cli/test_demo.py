"""`dpl-segment demo` and `info`, with the real engine."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from DPLSegmentLib.cli import main
from DPLSegmentLib.commands.demo import ORGANS, chosen, one_slice_each
from DPLSegmentLib.images.reading import read_segmentation
from DPLSegmentLib.images.segmentation import Segmentation


def test_one_slice_is_painted_where_an_organ_is_largest(truth: Segmentation) -> None:
    painted = one_slice_each(chosen(truth, ORGANS))
    assert [segment.name for segment in painted.segments] == list(ORGANS)
    for segment, whole in zip(painted.segments, chosen(truth, ORGANS).segments, strict=True):
        areas = whole.mask.sum(axis=(1, 2))
        assert np.flatnonzero(segment.mask.any(axis=(1, 2))).tolist() == [int(areas.argmax())]
        assert segment.mask.sum() == areas.max()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the demo wrote."""
    output = tmp_path_factory.mktemp("demo")
    assert main(["demo", "--output", str(output), "--device", "cpu"]) == 0
    return output


def test_the_demo_writes_segmentation_confidence_report_and_picture(demo: Path) -> None:
    written = ["example_ct-confidence.nii.gz", "example_ct-segmentation.seg.nrrd", "example_ct.json", "overview.png"]
    assert sorted(path.name for path in demo.iterdir()) == written


def test_the_demo_finds_the_organs(demo: Path, truth: Segmentation) -> None:
    found = read_segmentation(demo / "example_ct-segmentation.seg.nrrd")
    for segment, whole in zip(found.segments, chosen(truth, ORGANS).segments, strict=True):
        overlap = 2 * (segment.mask & whole.mask).sum() / (segment.mask.sum() + whole.mask.sum())
        assert overlap > 0.6, segment.name


def test_the_demo_says_dice_and_seconds_and_where_the_files_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--output", str(tmp_path), "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert all(organ in said for organ in ORGANS)
    assert "Dice" in said and " s in all" in said and str(tmp_path / "overview.png") in said


def test_info_names_versions_device_and_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json", "--device", "cpu"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["versions"]["torch"].startswith("2.")
    assert facts["device"] and facts["model_id"]
