"""`dpl-segment ablate`: short trainings of one budget and from one start with parts of DPL off, and their Dice."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DPLSegmentLib.commands.failure import CommandError
from DPLSegmentLib.commands.outputs import require_writable, to_json, together
from DPLSegmentLib.commands.progress import ProgressBar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from DPLSegmentLib.ablation.shelf import Shelf, TrialResult
    from DPLSegmentLib.ablation.study import Study, Trial

NUMBERS = "ablation.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the recipe, see configs/")
    data = "val folder to measure P and S on; may be repeated"
    parser.add_argument("--data", type=Path, required=True, action="append", metavar="DIR", help=data)
    rows = 'only these rows, as in --rows "no diffusion" "K = 1"; a wrong one lists them all'
    parser.add_argument("--rows", nargs="+", metavar="ROW", help=rows)
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="trainings of each row (%(default)s)")
    parser.add_argument("--steps", type=int, default=150, metavar="N", help="steps of each training (%(default)s)")
    parser.add_argument("--cases", type=int, metavar="N", help="only the first N scans of a folder as queries")
    start = "weights that all begin from, their diffusion drawn anew (the bundled ones)"
    parser.add_argument("--start", type=Path, metavar="FILE", help=start)
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes side by side (%(default)s)")
    output = "finished trainings are kept here and not repeated (%(default)s)"
    parser.add_argument("--output", type=Path, default=Path("runs/ablation"), metavar="DIR", help=output)


def run(arguments: argparse.Namespace) -> None:
    """Train and measure what is not finished yet, print the tables, write the numbers."""
    from DPLSegmentLib.ablation.shelf import Shelf

    for name in ("seeds", "steps", "jobs"):
        if getattr(arguments, name) < 1:
            arguments.usage_error(f"--{name} must be at least 1")
    rows = _rows(arguments)
    require_writable(arguments.output)
    study = _study(arguments)
    trials, shelf = study.trials(rows, arguments.seeds), Shelf(study)
    _run(study, [trial for trial in trials if shelf.find(trial) is None], arguments.jobs)
    _tell(arguments, study, rows, _results(shelf, trials))


def _rows(arguments: argparse.Namespace) -> list[str]:
    from DPLSegmentLib.ablation.rows import ROWS

    wanted = arguments.rows or list(ROWS)
    unknown = [row for row in wanted if row not in ROWS]
    if unknown:
        arguments.usage_error(f"there is no row {', '.join(unknown)}; there are: {', '.join(ROWS)}")
    return wanted


def _study(arguments: argparse.Namespace) -> Study:
    from DPLSegmentLib.ablation.start import write_start
    from DPLSegmentLib.ablation.study import Study, short
    from DPLSegmentLib.resources import WEIGHTS, resource
    from DPLSegmentLib.training.config import read_config

    config = short(read_config(arguments.config), arguments.steps)
    start = arguments.output / "start.pt"
    model_id = write_start(arguments.start or resource(WEIGHTS), start)
    return Study(config, start, model_id, arguments.output, tuple(arguments.data), arguments.cases)


def _run(study: Study, trials: Sequence[Trial], jobs: int) -> None:
    from DPLSegmentLib.ablation.laboratory import run_trials, units_of_a_trial
    from DPLSegmentLib.ablation.members import side_by_side
    from DPLSegmentLib.training.pack import prepare_volumes

    if not trials:
        return
    done, whole = 0, len(trials) * units_of_a_trial(study)
    prepare_volumes(study.config)
    with ProgressBar(f"{len(trials)} trainings") as bar:
        bar.update(0.0, "loading the scans")

        def advance(units: int) -> None:
            nonlocal done
            done += units
            bar.update(done / whole)

        side_by_side(partial(run_trials, study), trials, jobs, advance)


def _results(shelf: Shelf, trials: Sequence[Trial]) -> list[TrialResult]:
    found = [shelf.find(trial) for trial in trials]
    if None in found:
        raise CommandError("A finished training has lost its file: run again.")
    return [result for result in found if result]


def _tell(arguments: argparse.Namespace, study: Study, rows: list[str], results: list[TrialResult]) -> None:
    from DPLSegmentLib.ablation.rows import same_as
    from DPLSegmentLib.ablation.table import document, tables
    from DPLSegmentLib.evaluation.machine import describe, machine

    own = {row: same_as(study.config, row) for row in rows}
    title = (
        f"Ablations, {study.config.steps} steps of training each from model {study.model_id} with a fresh diffusion: "
        f"mean Dice and its spread over {arguments.seeds} seeds"
    )
    content: dict[str, Any] = {"title": title, "machine": machine(), "model_id": study.model_id}
    content["commits"] = sorted({str(result.machine["commit"]) for result in results})
    print(tables(results, own, study.columns, title))
    with together(arguments.output, [NUMBERS]) as staging:
        content["rows"] = document(results, own, study.columns)
        (staging / NUMBERS).write_text(to_json(content), encoding="utf-8")
    print(f"{describe(content['machine'])}; numbers: {arguments.output / NUMBERS}")
