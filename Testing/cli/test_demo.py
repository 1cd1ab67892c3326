"""`dpl-segment demo` and `info`, with the real engine."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from DPLSegmentLib.cli import main
from DPLSegmentLib.commands.demo import ORGANS, chosen, one_slice_each
from DPLSegmentLib.evaluation.metrics import dice
from DPLSegmentLib.images.reading import read_segmentation
from DPLSegmentLib.images.segmentation import Segmentation


def test_one_slice_is_painted_where_an_organ_is_largest(truth: Segmentation) -> None:
    painted = one_slice_each(chosen(truth, ORGANS))
    assert [segment.name for segment in painted.segments] == list(ORGANS)
    for segment, whole in zip(painted.segments, chosen(truth, ORGANS).segments, strict=True):
        areas = whole.mask.sum(axis=(1, 2))
        assert np.flatnonzero(segment.mask.any(axis=(1, 2))).tolist() == [int(areas.argmax())]
        assert segment.mask.sum() == areas.max()


@dataclass(frozen=True)
class Demo:
    """The folder that the demo wrote, and what it said."""

    output: Path
    said: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """One run of the demo."""
    output = tmp_path_factory.mktemp("demo")
    with redirect_stdout(StringIO()) as said:
        assert main(["demo", "--output", str(output), "--device", "cpu"]) == 0
    return Demo(output, said.getvalue())


def test_the_demo_writes_segmentation_confidence_report_and_picture(demo: Demo) -> None:
    written = ["example_ct-confidence.nii.gz", "example_ct-segmentation.seg.nrrd", "example_ct.json", "overview.png"]
    assert sorted(path.name for path in demo.output.iterdir()) == written


def test_the_demo_finds_the_organs(demo: Demo, truth: Segmentation) -> None:
    found = read_segmentation(demo.output / "example_ct-segmentation.seg.nrrd")
    for segment, whole in zip(found.segments, chosen(truth, ORGANS).segments, strict=True):
        assert dice(segment.mask, whole.mask) > 0.6, segment.name


def test_the_demo_says_dice_and_seconds_and_where_the_files_are(demo: Demo) -> None:
    assert all(organ in demo.said for organ in ORGANS)
    assert "Dice" in demo.said and " s in all" in demo.said
    assert str(demo.output / "overview.png") in demo.said


def test_info_names_versions_device_and_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json", "--device", "cpu"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["versions"]["torch"].startswith("2.")
    assert facts["device"] and facts["model_id"]
