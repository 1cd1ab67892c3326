"""Trains and measures one trial after the other; the scans are loaded once."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean

from DPLSegmentLib.ablation.shelf import Shelf, TrialResult
from DPLSegmentLib.ablation.study import PROTOCOLS, Study, Trial, column
from DPLSegmentLib.evaluation.engine_segmenter import EngineSegmenter
from DPLSegmentLib.evaluation.machine import machine
from DPLSegmentLib.evaluation.plan import queries
from DPLSegmentLib.evaluation.report import Result, rows
from DPLSegmentLib.evaluation.run import Method, run_methods
from DPLSegmentLib.propagation.engine import load_engine
from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.distributed import join_team
from DPLSegmentLib.training.pack import load_volumes
from DPLSegmentLib.training.trainer import Trainer

OnUnits = Callable[[int], None]
"""Told how many more training steps and measured structures are done."""


class Laboratory:
    """One process' training scans, test scans and device."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.team = join_team()
        self.volumes = load_volumes(study.config)
        self.plans = study.plans()

    def run(self, trial: Trial, on_units: OnUnits) -> TrialResult:
        """Train, or go on training, and measure; raises TrainingError, EvaluationError and PropagationError."""
        started, config = time.monotonic(), self.study.config_of(trial)
        Trainer(config, self.volumes, self.team).train(lambda _step, _losses: on_units(1))
        measured = dict(self._measured(trial, config, on_units))
        scores = [
            {"column": name, "case": score.case, "structure": score.structure, "dice": score.dice}
            for name, result in measured.items()
            for score in result.scores
        ]
        dice = {name: mean(row.mean for row in rows([result], "")) for name, result in measured.items()}
        return TrialResult(trial.row, trial.seed, dice, scores, time.monotonic() - started, machine())

    def _measured(self, trial: Trial, config: TrainingConfig, on_units: OnUnits) -> Iterator[tuple[str, Result]]:
        """The trained weights through every protocol on every folder, with the same DPL as in training."""
        engine = load_engine(self.team.device.type, Path(config.run) / "dpl-segment.pt")
        method = Method(trial.row, lambda _seed: EngineSegmenter(trial.row, engine, config.switches, trial.seed))
        for plan in self.plans:
            for protocol in PROTOCOLS:
                done = run_methods(protocol, [method], plan, on_score=lambda _method, _score: on_units(1))
                yield column(plan, protocol), done.results[0]


def run_trials(study: Study, trials: Sequence[Trial], on_units: OnUnits) -> None:
    """Run them and keep each result as soon as it is there; what a training left is then removed."""
    laboratory, shelf = Laboratory(study), Shelf(study)
    for trial in trials:
        shelf.keep(laboratory.run(trial, on_units))
        shutil.rmtree(study.config_of(trial).run)


def units_of_a_trial(study: Study) -> int:
    """About how many units one trial takes."""
    return study.config.steps + len(PROTOCOLS) * sum(1 for plan in study.plans() for _ in queries(plan))
