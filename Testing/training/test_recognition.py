"""The recogniser's lesson: it learns what is drawn, and the rest of the network stays as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from DPLSegmentLib.network.checkpoint import load_model, save_model
from DPLSegmentLib.network.config import NetworkConfig
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.network.recogniser import Recogniser
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.distributed import Team
from DPLSegmentLib.training.known_scans import KnownScan, known_structures, load_known_scans
from DPLSegmentLib.training.known_views import KnownView
from DPLSegmentLib.training.recognition import RecognitionLesson, recognition_losses
from DPLSegmentLib.training.state import load_start
from DPLSegmentLib.training.trainer import Trainer

ALONE = Team(0, 1, torch.device("cpu"))
SIDE = 24


class EasyViews:
    """Always one view of 12 slices that shows nothing, or one structure, by its first channel."""

    def __init__(self, scan: KnownScan, shown: bool = True) -> None:
        generator = torch.Generator().manual_seed(0)
        labels = torch.zeros(12, 4 * SIDE, 4 * SIDE, dtype=torch.uint8)
        labels[3:9, 24:56, 32:72] = shown
        features = torch.randn(12, 96, SIDE, SIDE, generator=generator)
        features[:, 0] = 6 * labels[:, ::4, ::4]
        slices, places = torch.zeros(labels.shape), torch.zeros(2, SIDE, SIDE)
        self.always = scan, KnownView(features.half(), slices.half(), places, labels)

    def draw(self, generator: np.random.Generator) -> tuple[KnownScan, KnownView]:
        """That one."""
        return self.always


@pytest.fixture
def scan(known_config: TrainingConfig) -> KnownScan:
    """On which one structure may be drawn."""
    return replace(load_known_scans(known_config, torch.device("cpu"))[0], maybe=torch.tensor([False]))


def test_what_can_be_learnt_is_learnt(scan: KnownScan) -> None:
    torch.manual_seed(0)
    recogniser = Recogniser(96, 1)
    lesson, optimiser = RecognitionLesson(recogniser, EasyViews(scan)), torch.optim.AdamW(recogniser.parameters(), 2e-3)
    sums = []
    for step in range(30):
        losses = lesson.losses(np.random.default_rng(step))
        loss = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        sums.append(float(loss.detach()))
    assert sums[-1] < 0.3 * sums[0]


def test_the_same_generator_draws_the_same_lesson(scan: KnownScan) -> None:
    lesson = RecognitionLesson(Recogniser(96, 1), EasyViews(scan))
    first, again, other = (lesson.losses(np.random.default_rng(seed))["cross entropy"] for seed in (1, 1, 2))
    assert first == again != other


def test_a_view_without_anything_known_has_a_loss(scan: KnownScan) -> None:
    losses = RecognitionLesson(Recogniser(96, 1), EasyViews(scan, shown=False)).losses(np.random.default_rng(0))
    assert float(losses["dice"].detach()) == 0 and torch.isfinite(losses["cross entropy"])


def test_what_may_be_there_undrawn_may_be_told() -> None:
    told = torch.zeros(1, 3, 4, 4)
    told[:, 1] = 9
    nothing = torch.zeros(1, 8, 8)
    free, wrong = (
        float(recognition_losses(told, nothing, torch.tensor([it, False]))["cross entropy"]) for it in (True, False)
    )
    assert free < 1 < wrong


def test_what_is_told_right_costs_less_than_what_is_told_wrong() -> None:
    labels = torch.zeros(1, 8, 8)
    labels[:, :4] = 2
    right, wrong = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    right[:, 2, :2], right[:, 0, 2:] = 9, 9
    wrong[:, 1, :2], wrong[:, 0, 2:] = 9, 9
    costs = [recognition_losses(told, labels, torch.tensor([False, False])) for told in (right, wrong)]
    assert all(float(costs[0][name]) < 0.1 < 0.8 < float(costs[1][name]) for name in ("cross entropy", "dice"))


def test_a_run_of_it_leaves_everything_else_as_it_was(known_config: TrainingConfig, tmp_path: Path) -> None:
    torch.manual_seed(5)
    before = SegmentationNetwork()
    save_model(before, tmp_path / "before.pt")
    config = replace(known_config, run=str(tmp_path / "run"), start=str(tmp_path / "before.pt"), steps=2)
    Trainer(config, [], ALONE).train()
    after = load_model(tmp_path / "run" / "dpl-segment.pt").network
    assert after.config.known == known_structures(known_config) and after.recogniser is not None
    weights = after.state_dict()
    assert all(torch.equal(weights[name], value.half().float()) for name, value in before.state_dict().items())


def test_outputs_that_an_earlier_network_did_not_have_begin_as_new_ones_do(tmp_path: Path) -> None:
    earlier, network = (SegmentationNetwork(replace(NetworkConfig(), known=("a", "b", "c")[:n])) for n in (2, 3))
    save_model(earlier, tmp_path / "earlier.pt")
    assert earlier.recogniser and network.recogniser
    fresh = network.recogniser.leave.weight.clone()
    load_start(network, tmp_path / "earlier.pt")
    kept, new = network.recogniser.leave.weight.split([len(earlier.recogniser.leave.weight), 4])
    assert torch.equal(kept, earlier.recogniser.leave.weight.half()) and torch.equal(new, fresh[-4:])
