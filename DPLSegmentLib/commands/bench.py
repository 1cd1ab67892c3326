"""`dpl-segment bench`: speed and memory on this machine, for the bundled CT on a grid of 257x257x140."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from DPLSegmentLib.commands.outputs import to_json, together
from DPLSegmentLib.commands.progress import ProgressBar

if TYPE_CHECKING:
    from DPLSegmentLib.evaluation.bench import Bench, Line
    from DPLSegmentLib.evaluation.seam import Segmenter

DEVICES = ("auto", "cuda", "mps", "cpu")
LINES = 9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="runs for each median (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="without the baselines, which take minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the numbers as a file too")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="(%(default)s)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="another checkpoint than the bundled one")


def run(arguments: argparse.Namespace) -> None:
    """Measure, print the table, write the numbers where asked."""
    from DPLSegmentLib.evaluation.bench import table
    from DPLSegmentLib.evaluation.machine import describe, machine

    if arguments.runs < 1:
        arguments.usage_error("--runs must be at least 1")
    bench = _bench(arguments)
    lines = _measure(bench)
    facts = machine()
    print(table(lines, ["ours", *(other.name for other in bench.others)]))
    print(f"{describe(facts)}; device {bench.engine.device_name}; model {bench.engine.model_id}; {arguments.runs} runs")
    if arguments.json:
        content = {"machine": facts, "model_id": bench.engine.model_id, "lines": [asdict(line) for line in lines]}
        with together(arguments.json.parent, [arguments.json.name]) as staging:
            (staging / arguments.json.name).write_text(to_json(content), encoding="utf-8")


def _bench(arguments: argparse.Namespace) -> Bench:
    from DPLSegmentLib.evaluation.bench import Bench
    from DPLSegmentLib.evaluation.bench_scan import bench_scan
    from DPLSegmentLib.propagation.engine import load_engine

    engine = load_engine(arguments.device, arguments.weights)
    others = [] if arguments.quick else _baselines()
    return Bench(engine, bench_scan(), others, arguments.runs, arguments.device, arguments.weights)


def _baselines() -> list[Segmenter]:
    """Those that are installed; a missing one is named on stderr."""
    from DPLSegmentLib.evaluation.errors import EvaluationError
    from DPLSegmentLib.evaluation.grow_from_seeds import GrowFromSeeds
    from DPLSegmentLib.evaluation.random_walker import RandomWalker

    try:
        return [GrowFromSeeds(), RandomWalker()]
    except EvaluationError as error:
        print(f"{error} Its column is left out.", file=sys.stderr)
        return [RandomWalker()]


def _measure(bench: Bench) -> list[Line]:
    lines: list[Line] = []
    with ProgressBar("Measuring", parts=LINES) as bar:
        for line in bench.lines():
            lines.append(line)
            bar.next_part()
            bar.update(0.0, line.name)
    return lines
