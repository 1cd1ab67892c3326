"""Protocol C with every way to pick the next slice, side by side: what each painted slice brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from DPLSegmentLib.evaluation.plan import CHOICES, Plan
from DPLSegmentLib.evaluation.report import Result, rows, settings
from DPLSegmentLib.evaluation.run import Method, OnScore, Run, length, run_methods
from DPLSegmentLib.evaluation.text_table import percent, text_table

PROTOCOL = "C"


def run_choices(methods: Sequence[Method], plan: Plan, seeds: int = 1, on_score: OnScore | None = None) -> Run:
    """Every method with every choice, each a row of its own; the pictures are of the first one."""
    runs = [run_methods(PROTOCOL, _named(methods, each), each, seeds, on_score) for each in _plans(plan)]
    return Run(tuple(result for run in runs for result in run.results), runs[0].pictures)


def length_of_choices(methods: Sequence[Method], plan: Plan, seeds: int = 1) -> int:
    """About how many scores `run_choices` gives, for a progress bar."""
    return sum(length(PROTOCOL, methods, each, seeds) for each in _plans(plan))


def per_click(results: Sequence[Result], title: str) -> str:
    """One table of mean Dice in per cent by the number of painted slices, with its spread over the seeds."""
    counts = settings(results)
    cells: dict[str, list[str]] = {}
    for row in (row for count in counts for row in rows(results, count)):
        cells.setdefault(row.method, []).append(percent(row.mean, row.spread))
    return text_table(title, [["Dice %", *counts], *([method, *line] for method, line in cells.items())])


def _plans(plan: Plan) -> list[Plan]:
    return [replace(plan, choice=choice) for choice in CHOICES]


def _named(methods: Sequence[Method], plan: Plan) -> list[Method]:
    return [replace(method, name=f"{method.name}, {plan.choice} picks") for method in methods]
