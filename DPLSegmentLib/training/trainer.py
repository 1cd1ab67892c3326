"""The training loop: lesson, step, average, keep."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from DPLSegmentLib.network.checkpoint import save_model
from DPLSegmentLib.network.config import NetworkConfig
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.training.blending import blended
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.distributed import Team
from DPLSegmentLib.training.found_scans import found_kinds
from DPLSegmentLib.training.known_scans import known_structures
from DPLSegmentLib.training.lessons import lesson_for
from DPLSegmentLib.training.log import LossLog
from DPLSegmentLib.training.pack import TrainingVolume
from DPLSegmentLib.training.state import TrainingState, clip, earlier_weights, new_state, set_rates

OnStep = Callable[[int, Mapping[str, float]], None]


class Trainer:
    """Trains until `config.steps`; a checkpoint in `config.run` is taken up where it stopped, to the bit on a CPU."""

    def __init__(self, config: TrainingConfig, volumes: list[TrainingVolume], team: Team) -> None:
        self.config = config
        self.team = team
        self.folder = Path(config.run)
        torch.manual_seed(config.seed)
        network = SegmentationNetwork(_shape(config)).to(team.device, memory_format=torch.channels_last)
        self.state: TrainingState = new_state(config, network)
        if checkpoint_of(config).is_file():
            self.state.load(checkpoint_of(config))
        self.lesson = lesson_for(config, network, volumes, team)

    def train(self, on_step: OnStep | None = None) -> None:
        """Run to the last step; writes checkpoint, losses.csv and losses.png on the way and at the end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log, kept = LossLog(self.folder, self.state.step), time.monotonic()
        while self.state.step < self.config.steps:
            losses = self.step()
            log.add(self.state.step, losses)
            if on_step:
                on_step(self.state.step, losses)
            if time.monotonic() - kept > 60 * self.config.checkpoint_minutes:
                self._keep(log)
                kept = time.monotonic()
        self._keep(log)
        self.team.wait()

    def step(self) -> dict[str, float]:
        """One optimiser step over `config.episodes` episodes of this process; returns the mean losses."""
        torch.manual_seed(hash((self.config.seed, self.state.step, self.team.rank)) % 2**31)
        set_rates(self.state.optimiser, self._share())
        self.state.optimiser.zero_grad(set_to_none=False)
        means: dict[str, float] = {}
        for number in range(self.config.episodes):
            for name, loss in self._backward(self._generator(number)).items():
                means[name] = means.get(name, 0.0) + float(loss.detach()) / self.config.episodes
        self.team.average_gradients(self.state.network)
        clip(self.state.network)
        self.state.optimiser.step()
        self.state.step += 1
        self.state.update_average(self.config.average)
        return means

    def _backward(self, generator: np.random.Generator) -> Mapping[str, Tensor]:
        with self._precision():
            losses = self.lesson.losses(generator)
        (torch.stack(list(losses.values())).sum() / self.config.episodes).backward()
        return losses

    def _generator(self, number: int) -> np.random.Generator:
        return np.random.default_rng([self.config.seed, self.state.step, self.team.rank, number])

    def _precision(self) -> AbstractContextManager[object]:
        return torch.autocast(self.team.device.type, torch.bfloat16, enabled=self.team.device.type == "cuda")

    def _share(self) -> float:
        step = self.state.step
        warm = min(1.0, (step + 1) / self.config.warmup)
        return warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / self.config.steps)))

    def _keep(self, log: LossLog) -> None:
        if self.team.rank == 0:
            save_model(self._learnt(), self.folder / "dpl-segment.pt")
            log.write()
            self.state.save(checkpoint_of(self.config))

    def _learnt(self) -> SegmentationNetwork:
        share, average = self.config.start_share, self.state.average
        return blended(average, earlier_weights(Path(self.config.start)), share) if share else average


def checkpoint_of(config: TrainingConfig) -> Path:
    """Where a run is kept; it is written last, so where it is finished everything is there."""
    return Path(config.run) / "checkpoint.pt"


def _shape(config: TrainingConfig) -> NetworkConfig:
    known = known_structures(config) if config.known else ()
    found = found_kinds(config) if config.found else ()
    return NetworkConfig(encoder=config.encoder, known=known, found=found, magnetic=bool(config.magnetic))
