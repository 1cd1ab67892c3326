"""`dpl-segment evaluate`: Dice on a folder of labelled scans, beside the baselines and the ablations."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from DPLSegmentLib.commands.outputs import to_json, together
from DPLSegmentLib.commands.progress import ProgressBar

if TYPE_CHECKING:
    from DPLSegmentLib.evaluation.plan import Plan
    from DPLSegmentLib.evaluation.run import Method, Run

PROTOCOLS = ("P", "S", "X", "R", "C")
ALL = "all"
DEVICES = ("auto", "cuda", "mps", "cpu")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="case-*-image.nii.gz, case-*-labels.nii.gz"
    )
    parser.add_argument(
        "--protocol",
        choices=PROTOCOLS,
        required=True,
        help="P published, S same scan, X other patient, R slice range given, C clicks",
    )
    parser.add_argument("--baselines", action="store_true", help="add a row for every baseline")
    parser.add_argument("--ablations", action="store_true", help="add a row for every switch of DPL")
    parser.add_argument(
        "--structures", choices=("benchmark", "other", "all"), default="benchmark", help="(%(default)s)"
    )
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="runs with different noise, mean and spread")
    parser.add_argument("--cases", type=int, metavar="N", help="only the first N scans as queries")
    parser.add_argument("--supports", type=int, default=1, metavar="N", help="other patients a query (P and X)")
    parser.add_argument(
        "--choice",
        choices=("tool", "middle", "random", ALL),
        default="tool",
        help="who picks the next slice of protocol C; all: each of them, side by side",
    )
    parser.add_argument("--output", type=Path, default=Path("out/evaluation"), metavar="DIR", help="(%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the numbers (DIR/DATA-PROTOCOL.json)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="(%(default)s)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="another checkpoint than the bundled one")


def run(arguments: argparse.Namespace) -> None:
    """Evaluate, print the tables, write the numbers and the pictures."""
    from DPLSegmentLib.evaluation.choices import per_click
    from DPLSegmentLib.evaluation.report import document, tables

    if arguments.seeds < 1:
        arguments.usage_error("--seeds must be at least 1")
    if arguments.choice == ALL and arguments.protocol != "C":
        arguments.usage_error("--choice all goes with --protocol C")
    plan = _plan(arguments)
    methods, model_id = _methods(arguments)
    done = _run(arguments, methods, plan)
    facts = _facts(arguments, plan, model_id)
    print(tables(done.results, plan.structures, facts["title"]))
    if arguments.choice == ALL:
        print(f"\n{per_click(done.results, 'Dice per click. ' + facts['title'])}")
    _write(arguments, plan, done, document(done.results, facts))


def _plan(arguments: argparse.Namespace) -> Plan:
    from DPLSegmentLib.evaluation.dataset import open_dataset
    from DPLSegmentLib.evaluation.plan import CHOICES, Plan

    dataset = open_dataset(arguments.data)
    named = {"benchmark": dataset.benchmark(), "other": dataset.besides_benchmark(), "all": dataset.structures}
    choice = CHOICES[0] if arguments.choice == ALL else arguments.choice
    return Plan(dataset, named[arguments.structures], arguments.cases, arguments.supports, choice)


def _methods(arguments: argparse.Namespace) -> tuple[list[Method], str]:
    from DPLSegmentLib.evaluation.methods import ablations, baselines, ours
    from DPLSegmentLib.propagation.engine import load_engine

    engine = load_engine(arguments.device, arguments.weights)
    methods = [ours(engine)]
    methods += baselines(engine) if arguments.baselines else []
    methods += ablations(engine) if arguments.ablations else []
    return methods, engine.model_id


def _run(arguments: argparse.Namespace, methods: list[Method], plan: Plan) -> Run:
    from DPLSegmentLib.evaluation.choices import length_of_choices, run_choices
    from DPLSegmentLib.evaluation.run import length, run_methods

    finished, every, protocol = 0, arguments.choice == ALL, arguments.protocol
    task = (methods, plan, arguments.seeds)
    whole = max(1, length_of_choices(*task) if every else length(protocol, *task))
    with ProgressBar(f"Protocol {protocol}") as bar:

        def advance(method: str, _score: Any) -> None:
            nonlocal finished
            finished += 1
            bar.update(finished / whole, method)

        return run_choices(*task, advance) if every else run_methods(protocol, *task, advance)


def _title(arguments: argparse.Namespace, plan: Plan) -> str:
    from DPLSegmentLib.evaluation.protocols import DESCRIPTIONS

    picked = f" ({arguments.choice} picks)" if arguments.protocol == "C" and arguments.choice != ALL else ""
    return f"Protocol {arguments.protocol}{picked} on {plan.dataset.name}: {DESCRIPTIONS[arguments.protocol]}"


def _facts(arguments: argparse.Namespace, plan: Plan, model_id: str) -> dict[str, Any]:
    from DPLSegmentLib.evaluation.machine import machine

    options = ("protocol", "seeds", "supports", "choice", "structures", "device")
    return {
        **{name: getattr(arguments, name) for name in options},
        "title": _title(arguments, plan),
        "data": str(arguments.data),
        "cases": [case.name for case in plan.dataset.cases[: plan.queries]],
        "model_id": model_id,
        "machine": machine(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _write(arguments: argparse.Namespace, plan: Plan, done: Run, content: dict[str, Any]) -> None:
    """The numbers and the pictures, all or none, and one line that says where they are."""
    from DPLSegmentLib.evaluation.machine import describe
    from DPLSegmentLib.evaluation.pictures import draw
    from DPLSegmentLib.evaluation.score_picture import draw_scores

    stem = f"{plan.dataset.stem}-{arguments.protocol}"
    numbers = arguments.json or arguments.output / f"{stem}.json"
    pictures = {f"{stem}-{word}.png": picture for word, picture in done.pictures.items()}
    scores = f"{stem}-scores.png"
    with together(arguments.output, [*pictures, scores]) as staging:
        draw_scores(done.results, content["title"], staging / scores)
        for name, (snapshot, score) in pictures.items():
            draw(snapshot, score, staging / name)
    with together(numbers.parent, [numbers.name]) as staging:
        (staging / numbers.name).write_text(to_json(content), encoding="utf-8")
    print(f"{describe(content['machine'])}; model {content['model_id']}")
    print(f"Numbers: {numbers}{os.linesep}Pictures: {arguments.output / stem}-*.png")
