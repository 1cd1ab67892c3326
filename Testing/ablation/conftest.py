"""A tiny study: one training scan and two patients to measure on, all cut out of the bundled CT."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from DPLSegmentLib.ablation.shelf import TrialResult
from DPLSegmentLib.ablation.start import write_start
from DPLSegmentLib.ablation.study import Study, short
from DPLSegmentLib.resources import WEIGHTS, resource
from DPLSegmentLib.training.config import read_config
from Testing.training.crops import write_case

TRAIN_BOX = (slice(80, 112), slice(25, 89), slice(30, 94))
VAL_BOXES = {
    "case-01": (slice(74, 104), slice(24, 74), slice(66, 118)),
    "case-02": (slice(78, 102), slice(20, 78), slice(62, 120)),
}
RECIPE = "crop = 64\nrollout = 1\nsynthetic = 0\nstructures = 1\nwarmup = 2\n"


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """abdomen-ct/train for training, abdomen-ct/val with right kidneys to measure on."""
    root = tmp_path_factory.mktemp("data")
    write_case(root / "abdomen-ct" / "train", "case-00", TRAIN_BOX)
    for name, box in VAL_BOXES.items():
        write_case(root / "abdomen-ct" / "val", name, box)
    (root / "abdomen-ct" / "labels.json").write_text(resource("SampleData/labels.json").read_text())
    (root / "abdomen-ct" / "val" / "labels.json").write_text(json.dumps({"3": "right kidney"}))
    return root


@pytest.fixture(scope="session")
def val(data: Path) -> Path:
    """The folder to measure on."""
    return data / "abdomen-ct" / "val"


@pytest.fixture(scope="session")
def recipe(data: Path) -> Path:
    """A configuration file."""
    path = data / "recipe.toml"
    path.write_text(f'data = "{data.as_posix()}"\nrun = "{(data / "runs" / "a").as_posix()}"\n{RECIPE}')
    return path


@pytest.fixture
def study(recipe: Path, val: Path, tmp_path: Path) -> Study:
    """One step a training, one query a protocol."""
    model_id = write_start(resource(WEIGHTS), tmp_path / "start.pt")
    return Study(short(read_config(recipe), 1), tmp_path / "start.pt", model_id, tmp_path, (val,), 1)


@pytest.fixture
def result() -> TrialResult:
    """A trial that might have been."""
    score = {"column": "a S", "case": "case-01", "structure": "liver", "dice": 0.5}
    return TrialResult("no diffusion", 1, {"a S": 0.5}, [score], 3.0, {"commit": "abc"})
