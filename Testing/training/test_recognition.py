"""The recogniser's lesson: it learns what is drawn, and the rest of the network stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from DPLSegmentLib.network.checkpoint import load_model, save_model
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.network.recogniser import Recogniser
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.distributed import Team
from DPLSegmentLib.training.known_views import KnownView, known_structures
from DPLSegmentLib.training.recognition import RecognitionLesson
from DPLSegmentLib.training.trainer import Trainer

Configure = Callable[..., TrainingConfig]
ALONE = Team(0, 1, torch.device("cpu"))
SIDE = 24


@pytest.fixture
def easy_view() -> KnownView:
    """The first channel shows where one structure is."""
    generator = np.random.default_rng(0)
    features = generator.standard_normal((12, 96, SIDE, SIDE)).astype(np.float16)
    shares = np.zeros((12, 1, SIDE, SIDE), np.float16)
    shares[3:9, 0, 6:14, 8:18] = 1
    features[:, 0] = 6 * shares[:, 0]
    return KnownView(features, shares, np.zeros((2, SIDE, SIDE), np.float32))


def test_what_can_be_learnt_is_learnt(easy_view: KnownView) -> None:
    torch.manual_seed(0)
    recogniser = Recogniser(96, 1)
    lesson, optimiser = RecognitionLesson(recogniser, [easy_view]), torch.optim.AdamW(recogniser.parameters(), 2e-3)
    sums = []
    for step in range(30):
        losses = lesson.losses(np.random.default_rng(step))
        loss = torch.stack(list(losses.values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        sums.append(float(loss.detach()))
    assert sums[-1] < 0.3 * sums[0]


def test_the_same_generator_draws_the_same_lesson(easy_view: KnownView) -> None:
    lesson = RecognitionLesson(Recogniser(96, 1), [easy_view])
    first, again, other = (lesson.losses(np.random.default_rng(seed))["cross entropy"] for seed in (1, 1, 2))
    assert first == again != other


def test_a_view_without_anything_known_has_a_loss(easy_view: KnownView) -> None:
    nothing = KnownView(easy_view.features, np.zeros_like(easy_view.shares), easy_view.places)
    losses = RecognitionLesson(Recogniser(96, 1), [nothing]).losses(np.random.default_rng(0))
    assert float(losses["dice"].detach()) == 0 and torch.isfinite(losses["cross entropy"])


def test_a_run_of_it_leaves_everything_else_as_it_was(data: Path, tmp_path: Path, configure: Configure) -> None:
    torch.manual_seed(5)
    before = SegmentationNetwork()
    save_model(before, tmp_path / "before.pt")
    config = configure(known=True, run=str(tmp_path / "run"), start=str(tmp_path / "before.pt"), steps=2)
    Trainer(config, [], ALONE).train()
    after = load_model(tmp_path / "run" / "dpl-segment.pt").network
    assert after.config.known == known_structures(data) and after.recogniser is not None
    weights = after.state_dict()
    assert all(torch.equal(weights[name], value.half().float()) for name, value in before.state_dict().items())
