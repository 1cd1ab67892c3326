"""`dpl-segment train`: trains the network from a configuration file, or from several that build on one another."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from DPLSegmentLib.training.config import TrainingConfig
    from DPLSegmentLib.training.distributed import Team


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--config",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="TOML file, see configs/; several are trained in this order",
    )


def run(arguments: argparse.Namespace) -> None:
    """Train each to the last step; goes on where the checkpoint of its run stands, and past those that are done."""
    from DPLSegmentLib.training.config import read_config
    from DPLSegmentLib.training.distributed import in_team, leave_team
    from DPLSegmentLib.training.state import steps_done
    from DPLSegmentLib.training.trainer import checkpoint_of

    for config in [read_config(path) for path in arguments.config]:
        if steps_done(checkpoint_of(config)) < config.steps:
            in_team(config.processes, partial(_train, config))
    leave_team()


def _train(config: TrainingConfig, team: Team) -> None:
    from DPLSegmentLib.commands.progress import ProgressBar
    from DPLSegmentLib.training.found_regions import prepare_found
    from DPLSegmentLib.training.known_scans import prepare_known_scans
    from DPLSegmentLib.training.pack import load_volumes, prepare_volumes
    from DPLSegmentLib.training.teacher import prepare_taught
    from DPLSegmentLib.training.trainer import Trainer

    (prepare_known_scans if config.known else prepare_volumes)(config, team)
    if config.found:
        prepare_found(config, team)
    if config.teacher:
        prepare_taught(config, team)
    trainer = Trainer(config, [] if config.known else load_volumes(config), team)
    if team.rank:
        trainer.train()
    else:
        with ProgressBar("train") as bar:
            trainer.train(lambda step, losses: bar.update(step / config.steps, _summary(step, losses)))


def _summary(step: int, losses: Mapping[str, float]) -> str:
    return f"step {step}, loss {sum(losses.values()):.2f}"
