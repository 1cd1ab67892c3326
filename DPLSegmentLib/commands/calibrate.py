"""`dpl-segment calibrate`: whether the confidence predicts the error, beside the plain margin of the probability."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DPLSegmentLib.commands.model import add_model_arguments
from DPLSegmentLib.commands.outputs import to_json, together
from DPLSegmentLib.commands.progress import ProgressBar

if TYPE_CHECKING:
    from DPLSegmentLib.evaluation.plan import Plan
    from DPLSegmentLib.evaluation.voxels import Voxels
    from DPLSegmentLib.propagation.engine import Engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    cases = "case-*-image.nii.gz, case-*-labels.nii.gz"
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help=cases)
    parser.add_argument("--structures", choices=("benchmark", "all"), default="benchmark", help="(%(default)s)")
    parser.add_argument("--cases", type=int, metavar="N", help="only the first N scans")
    parser.add_argument("--output", type=Path, default=Path("out/evaluation"), metavar="DIR", help="(%(default)s)")
    add_model_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Segment by protocol S, print the table, write the numbers and the picture."""
    from DPLSegmentLib.evaluation.calibration import calibration_table, calibrations
    from DPLSegmentLib.propagation.engine import load_engine

    plan, engine = _plan(arguments), load_engine(arguments.device, arguments.weights)
    voxels = _voxels(engine, plan)
    found = calibrations(voxels)
    print(calibration_table(found, _title(plan)))
    _write(arguments, engine, plan, voxels, {name: asdict(each) for name, each in found.items()})


def _plan(arguments: argparse.Namespace) -> Plan:
    from DPLSegmentLib.evaluation.dataset import open_dataset
    from DPLSegmentLib.evaluation.plan import Plan

    dataset = open_dataset(arguments.data)
    structures = dataset.structures if arguments.structures == "all" else dataset.benchmark()
    return Plan(dataset, structures, arguments.cases)


def _voxels(engine: Engine, plan: Plan) -> dict[str, Voxels]:
    from DPLSegmentLib.commands.failure import CommandError
    from DPLSegmentLib.evaluation.plan import queries
    from DPLSegmentLib.evaluation.voxels import VoxelReader

    whole = sum(1 for _ in queries(plan))
    if not whole:
        raise CommandError(f"No scan of {plan.dataset.directory} holds a structure to segment: give more --cases.")
    with ProgressBar("Calibration", parts=whole) as bar:

        def advance(structure: str) -> None:
            bar.next_part()
            bar.update(0.0, structure)

        return VoxelReader(engine).read(plan, advance)


def _title(plan: Plan) -> str:
    return (
        f"Calibration on {plan.dataset.name}, protocol S: voxels inside of the results, without the painted slices.\n"
        "ECE (expected calibration error) and area under the error-retention curve: lower is better; gain (1 perfect "
        "order, 0 chance): higher is better"
    )


def _write(
    arguments: argparse.Namespace, engine: Engine, plan: Plan, voxels: dict[str, Voxels], rows: dict[str, Any]
) -> None:
    """The picture and the numbers, both or none, and one line that says where they are."""
    from DPLSegmentLib.evaluation.calibration import bins_of
    from DPLSegmentLib.evaluation.calibration_picture import draw_calibration
    from DPLSegmentLib.evaluation.machine import describe, machine
    from DPLSegmentLib.evaluation.voxels import joined

    stem = f"{plan.dataset.stem}-calibration"
    whole, facts = joined(voxels.values()), machine()
    content = {"data": str(arguments.data), "model_id": engine.model_id, "machine": facts, "rows": rows}
    with together(arguments.output, [f"{stem}.json", f"{stem}.png"]) as staging:
        (staging / f"{stem}.json").write_text(to_json({**content, "bins": _lists(bins_of(whole))}), encoding="utf-8")
        draw_calibration(whole, f"{plan.dataset.name}, protocol S, model {engine.model_id}", staging / f"{stem}.png")
    print(f"{describe(facts)}; model {engine.model_id}\nPicture and numbers: {arguments.output / stem}.*")


def _lists(bins: dict[str, Any]) -> dict[str, Any]:
    return {kind: {name: values.tolist() for name, values in each.items()} for kind, each in bins.items()}
