"""`dpl-segment train`: trains the network from a configuration file."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="TOML file, see configs/")


def run(arguments: argparse.Namespace) -> None:
    """Train to the last step; starts again where the run's checkpoint stands."""
    from DPLSegmentLib.commands.progress import ProgressBar
    from DPLSegmentLib.training.config import read_config
    from DPLSegmentLib.training.distributed import join_team, leave_team
    from DPLSegmentLib.training.pack import load_volumes, prepare_volumes
    from DPLSegmentLib.training.trainer import Trainer

    config, team = read_config(arguments.config), join_team()
    if team.rank == 0:
        prepare_volumes(config)
    team.wait()
    trainer = Trainer(config, load_volumes(config), team)
    if team.rank:
        trainer.train()
    else:
        with ProgressBar("train") as bar:
            trainer.train(lambda step, losses: bar.update(step / config.steps, _summary(step, losses)))
    leave_team()


def _summary(step: int, losses: Mapping[str, float]) -> str:
    return f"step {step}, loss {sum(losses.values()):.2f}"
