"""`dpl-segment train`: trains the network from a configuration file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="TOML file, see configs/")


def run(arguments: argparse.Namespace) -> int:
    """Train to the last step; starts again where the run's checkpoint stands."""
    from DPLSegmentLib.training.config import read_config
    from DPLSegmentLib.training.distributed import join_team, leave_team
    from DPLSegmentLib.training.pack import load_volumes
    from DPLSegmentLib.training.trainer import Trainer

    config, team = read_config(arguments.config), join_team()
    if team.rank == 0:
        load_volumes(config)
    team.wait()
    trainer = Trainer(config, load_volumes(config), team)
    with _Bar(config.steps, trainer.state.step, team.rank == 0) as bar:
        trainer.train(bar.advance)
    leave_team()
    return 0


class _Bar:
    def __init__(self, steps: int, start: int, shown: bool) -> None:
        from tqdm import tqdm

        self.bar = tqdm(total=steps, initial=start, disable=not shown, unit="step", mininterval=5, file=sys.stderr)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def advance(self, _: int, losses: Mapping[str, float]) -> None:
        self.bar.set_postfix({name: f"{value:.3f}" for name, value in losses.items()}, refresh=False)
        self.bar.update()
