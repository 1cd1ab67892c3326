"""What is trained: rows, trials, their configurations and their common start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from DPLSegmentLib.ablation.rows import ROWS, SHIPPED, changed, same_as
from DPLSegmentLib.ablation.start import write_start
from DPLSegmentLib.ablation.study import Study, Trial, short
from DPLSegmentLib.network.checkpoint import CheckpointError, load_model
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.resources import WEIGHTS, resource
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.rollout import default_options
from DPLSegmentLib.training.state import load_start

PLACES = {"run": "", "start": ""}


@pytest.fixture
def fresh() -> SegmentationNetwork:
    """A network with random weights."""
    torch.manual_seed(0)
    return SegmentationNetwork()


def test_every_row_but_the_shipped_recipe_changes_a_switch(study: Study) -> None:
    for row in ROWS:
        alike = changed(study.config, row) == study.config
        assert alike == (same_as(study.config, row) == SHIPPED)
    assert same_as(study.config, "no diffusion") == "no diffusion"


def test_rows_that_are_trained_alike_are_trained_once(study: Study) -> None:
    config = replace(study.config, variants=8)
    assert same_as(config, "K = 8") == SHIPPED
    trials = replace(study, config=config).trials([SHIPPED, "K = 8", "self-target"], 2)
    assert [(trial.row, trial.seed) for trial in trials] == [
        (SHIPPED, 0), ("self-target", 0), (SHIPPED, 1), ("self-target", 1),
    ]  # fmt: skip


def test_no_two_trials_share_a_file() -> None:
    names = [Trial(row, seed).name for row in ROWS for seed in range(3)]
    assert len(set(names)) == len(names) and all(" " not in name and "=" not in name for name in names)


def test_trials_differ_in_their_row_and_seed_alone(study: Study) -> None:
    one, other = study.config_of(Trial("no statistics", 0)), study.config_of(Trial(SHIPPED, 2))
    assert one.start == other.start and one.run != other.run
    assert replace(one, statistics=True, seed=2, **PLACES) == replace(other, **PLACES)


@pytest.mark.parametrize("row", ROWS)
def test_inference_has_the_same_dpl_as_training(row: str, study: Study) -> None:
    config = study.config_of(Trial(row, 1))
    options = default_options(config.switches, config.cross_view_target, config.diffusion_weight)
    assert options.enhancement == config.switches.enhancement and config.switches.seed == 1


def test_a_short_training_warms_up_for_a_tenth_and_keeps_the_prepared_scans() -> None:
    config = short(TrainingConfig("data", "runs/x", steps=4000, warmup=200, imagenet="a.pth"), 150)
    assert (config.steps, config.warmup, config.imagenet) == (150, 15, "")
    assert Path(config.pack) == Path("runs/pack5")


def test_the_start_is_the_given_model_with_another_diffusion(fresh: SegmentationNetwork, tmp_path: Path) -> None:
    before = {name: value.clone() for name, value in fresh.state_dict().items()}
    model_id = write_start(resource(WEIGHTS), tmp_path / "start.pt")
    model = load_model(resource(WEIGHTS))
    load_start(fresh, tmp_path / "start.pt")
    assert model_id == model.model_id
    for name, value in fresh.state_dict().items():
        expected = before[name] if name.startswith("diffusion.") else model.network.state_dict()[name]
        assert torch.equal(value, expected), name


def test_a_start_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"nothing")
    with pytest.raises(CheckpointError):
        write_start(tmp_path / "model.pt", tmp_path / "start.pt")
    assert not (tmp_path / "start.pt").exists()
