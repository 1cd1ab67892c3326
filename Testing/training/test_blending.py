"""Weights between those before and after a training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from DPLSegmentLib.network.checkpoint import load_model
from DPLSegmentLib.network.config import NetworkConfig
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.training.blending import blended
from DPLSegmentLib.training.config import TrainingConfig, TrainingError
from DPLSegmentLib.training.distributed import ALONE
from DPLSegmentLib.training.trainer import Trainer

LEAVE = "recogniser.leave.weight"


@pytest.fixture
def before() -> SegmentationNetwork:
    """Knows one structure."""
    torch.manual_seed(1)
    return SegmentationNetwork(NetworkConfig(known=("a",)))


@pytest.fixture
def after() -> SegmentationNetwork:
    """Knows a second one besides, which nobody named."""
    torch.manual_seed(2)
    return SegmentationNetwork(NetworkConfig(known=("a",), found=("MR",)))


def test_of_ct_a_share_is_as_it_was_before_and_what_is_new_stays(
    before: SegmentationNetwork, after: SegmentationNetwork
) -> None:
    earlier, later = before.state_dict(), after.state_dict()
    both = blended(after, earlier, 0.75).state_dict()
    told = len(earlier[LEAVE])
    assert torch.allclose(both[LEAVE][:told], 0.75 * earlier[LEAVE] + 0.25 * later[LEAVE][:told])
    assert torch.equal(both[LEAVE][told:], later[LEAVE][told:])
    enter = "recogniser.enter.weight"
    assert torch.allclose(both[enter], 0.75 * earlier[enter] + 0.25 * later[enter])


def test_of_mr_and_of_everything_else_all_is_as_it_came_to_be(
    before: SegmentationNetwork, after: SegmentationNetwork
) -> None:
    both = blended(after, before.state_dict(), 0.5)
    assert both.magnetic and after.recogniser and both.recogniser_of("MR") is both.magnetic
    now = both.magnetic.state_dict()
    assert all(torch.equal(now[name], value) for name, value in after.recogniser.state_dict().items())
    others = {name: value for name, value in after.state_dict().items() if not name.startswith("recogniser.")}
    assert all(torch.equal(both.state_dict()[name], value) for name, value in others.items())


def test_what_was_learnt_is_not_changed_by_it(before: SegmentationNetwork, after: SegmentationNetwork) -> None:
    kept = {name: value.clone() for name, value in after.state_dict().items()}
    blended(after, before.state_dict(), 0.5)
    assert all(torch.equal(kept[name], value) for name, value in after.state_dict().items())


@pytest.mark.parametrize(
    "shape", [NetworkConfig(), NetworkConfig(known=("a",), magnetic=True)], ids=["no recogniser", "two recognisers"]
)
def test_without_one_recogniser_it_is_refused(shape: NetworkConfig) -> None:
    with pytest.raises(TrainingError, match="one recogniser"):
        blended(SegmentationNetwork(shape), {}, 0.5)


def test_a_run_writes_what_lies_between_its_start_and_its_end(known_config: TrainingConfig, tmp_path: Path) -> None:
    first = replace(known_config, run=str(tmp_path / "first"), views=1, steps=1)
    Trainer(first, [], ALONE).train()
    start = tmp_path / "first" / "dpl-segment.pt"
    config = replace(first, run=str(tmp_path / "run"), start=str(start), start_share=0.75, steps=2)
    trainer = Trainer(config, [], ALONE)
    trainer.train()
    written = load_model(tmp_path / "run" / "dpl-segment.pt").network.state_dict()
    begun, ended = load_model(start).network.state_dict()[LEAVE], trainer.state.average.state_dict()[LEAVE]
    assert torch.allclose(written[LEAVE], 0.75 * begun + 0.25 * ended, atol=1e-3)
    assert torch.equal(written["magnetic.leave.weight"], ended.half().float())
