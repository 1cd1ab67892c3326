"""The recogniser's lesson: it learns what is drawn, and the rest of the network stays as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
import torch

from DPLSegmentLib.network.checkpoint import load_model, save_model
from DPLSegmentLib.network.encoder import Encoder
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.network.recogniser import Recogniser
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.distributed import Team
from DPLSegmentLib.training.kept_views import KeptViews
from DPLSegmentLib.training.known_scans import known_structures, load_known_scans
from DPLSegmentLib.training.known_views import Viewer
from DPLSegmentLib.training.recognition import RecognitionLesson, recognition_losses
from DPLSegmentLib.training.trainer import Trainer

ALONE = Team(0, 1, torch.device("cpu"))
SIDE = 24


class Write(Protocol):
    """Keeps one view of 12 slices that shows nothing, or one structure."""

    def __call__(self, maybe: bool = False, shown: bool = True) -> KeptViews: ...


@pytest.fixture
def easy_views(tmp_path: Path, known_config: TrainingConfig) -> Write:
    """The first channel shows where the structure is."""
    (scan, _) = load_known_scans(known_config, torch.device("cpu"))

    def write(maybe: bool = False, shown: bool = True) -> KeptViews:
        generator = np.random.default_rng(0)
        features = generator.standard_normal((12, 96, SIDE, SIDE)).astype(np.float16)
        labels = np.zeros((12, 4 * SIDE, 4 * SIDE), np.uint8)
        labels[3:9, 24:56, 32:72] = shown
        features[:, 0] = 6 * labels[:, ::4, ::4]
        kept = tmp_path / "easy-0"
        kept.mkdir()
        np.save(kept / "features.npy", features)
        np.save(kept / "slices.npy", np.zeros(labels.shape, np.float16))
        np.save(kept / "places.npy", np.zeros((2, SIDE, SIDE), np.float32))
        np.save(kept / "labels.npy", labels)
        return KeptViews(tmp_path, Viewer(Encoder(), ()), [replace(scan, name="easy", maybe=torch.tensor([maybe]))], 1)

    return write


def test_what_can_be_learnt_is_learnt(easy_views: Write) -> None:
    torch.manual_seed(0)
    recogniser = Recogniser(96, 1)
    lesson, optimiser = RecognitionLesson(recogniser, easy_views()), torch.optim.AdamW(recogniser.parameters(), 2e-3)
    sums = []
    for step in range(30):
        losses = lesson.losses(np.random.default_rng(step))
        loss = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        sums.append(float(loss.detach()))
    assert sums[-1] < 0.3 * sums[0]


def test_the_same_generator_draws_the_same_lesson(easy_views: Write) -> None:
    lesson = RecognitionLesson(Recogniser(96, 1), easy_views())
    first, again, other = (lesson.losses(np.random.default_rng(seed))["cross entropy"] for seed in (1, 1, 2))
    assert first == again != other


def test_a_view_without_anything_known_has_a_loss(easy_views: Write) -> None:
    losses = RecognitionLesson(Recogniser(96, 1), easy_views(shown=False)).losses(np.random.default_rng(0))
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


@pytest.mark.parametrize("views", [0, 1])
def test_a_run_of_it_leaves_everything_else_as_it_was(known_config: TrainingConfig, tmp_path: Path, views: int) -> None:
    torch.manual_seed(5)
    before = SegmentationNetwork()
    save_model(before, tmp_path / "before.pt")
    config = replace(known_config, run=str(tmp_path / "run"), start=str(tmp_path / "before.pt"), steps=2, views=views)
    Trainer(config, [], ALONE).train()
    after = load_model(tmp_path / "run" / "dpl-segment.pt").network
    assert after.config.known == known_structures(known_config) and after.recogniser is not None
    weights = after.state_dict()
    assert all(torch.equal(weights[name], value.half().float()) for name, value in before.state_dict().items())
