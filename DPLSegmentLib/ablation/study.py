"""What is trained and measured, and where it is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from DPLSegmentLib.ablation.rows import changed, same_as
from DPLSegmentLib.evaluation.dataset import open_dataset
from DPLSegmentLib.evaluation.plan import Plan
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.pack import pack_folder

PROTOCOLS = ("P", "S")
_WARM_SHARE = 10
_PLACES = ("run", "start", "pack")


@dataclass(frozen=True)
class Trial:
    """One training: a row of the table with one seed."""

    row: str
    seed: int

    @property
    def name(self) -> str:
        """For files."""
        return re.sub(r"[^a-z0-9.]+", "-", f"{self.row} {self.seed}".lower())


@dataclass(frozen=True)
class Study:
    """All trials train by `config`, changed as their row says, and begin from the weights `start`, which were made of
    the model `model_id`. They are measured on the folders `data`, on the first `queries` scans of each where that is
    given. `output` takes what is finished and what is at work."""

    config: TrainingConfig
    start: Path
    model_id: str
    output: Path
    data: tuple[Path, ...]
    queries: int | None = None

    def config_of(self, trial: Trial) -> TrainingConfig:
        """What a trial is trained with."""
        run = str(self.output / "at-work" / trial.name)
        return changed(replace(self.config, run=run, start=str(self.start), seed=trial.seed), trial.row)

    def settings_of(self, trial: Trial) -> dict[str, Any]:
        """Everything but the code that its numbers depend on."""
        config = {key: value for key, value in asdict(self.config_of(trial)).items() if key not in _PLACES}
        measured = {"measured on": [plan.dataset.name for plan in self.plans()], "cases": self.queries}
        return {**config, **measured, "start": self.model_id}

    def trials(self, rows: Iterable[str], seeds: int) -> list[Trial]:
        """Every row with seeds 0, 1, ...; rows that are trained in the same way are trained once."""
        distinct = dict.fromkeys(same_as(self.config, row) for row in rows)
        return [Trial(row, seed) for seed in range(seeds) for row in distinct]

    def plans(self) -> list[Plan]:
        """The benchmark organs of each folder, or all that it names where it names none of them.

        Raises EvaluationError.
        """
        datasets = [open_dataset(folder) for folder in self.data]
        return [Plan(dataset, dataset.benchmark(), self.queries) for dataset in datasets]

    @property
    def columns(self) -> Sequence[str]:
        """The columns of the table: a folder and a protocol each."""
        return [column(plan, protocol) for plan in self.plans() for protocol in PROTOCOLS]


def column(plan: Plan, protocol: str) -> str:
    """The head of a column."""
    return f"{plan.dataset.name} {protocol}"


def short(config: TrainingConfig, steps: int) -> TrainingConfig:
    """The same recipe for a short training that goes on from weights; the prepared scans stay where they are."""
    warmup = max(1, min(config.warmup, steps // _WARM_SHARE))
    return replace(config, steps=steps, warmup=warmup, imagenet="", pack=str(pack_folder(config)))
