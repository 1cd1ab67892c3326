"""The results of a run as a table for people and as a document for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import mean, median
from typing import Any

from DPLSegmentLib.evaluation.tasks import Score
from DPLSegmentLib.evaluation.text_table import percent, spread, text_table


@dataclass(frozen=True)
class Result:
    """All scores of one method with one noise seed."""

    method: str
    scores: tuple[Score, ...]
    seed: int = 0


@dataclass(frozen=True)
class Row:
    """One line of a table: Dice 0..1 by structure (mean over scans), their mean, and its spread over the seeds.

    `spread` is a standard deviation and None with one seed; `hd95` (mm) and `seconds` are medians over the tasks;
    `retention_gain` is a mean, None where the method tells no confidence.
    """

    method: str
    dice: Mapping[str, float]
    mean: float
    spread: float | None
    hd95: float
    seconds: float
    retention_gain: float | None


def settings(results: Iterable[Result]) -> list[str]:
    """The settings of the scores in the order of their appearance; one table each."""
    return list(dict.fromkeys(score.setting for result in results for score in result.scores))


def rows(results: Sequence[Result], setting: str) -> list[Row]:
    """One row a method, in the order of `results`; methods without any score in this setting are left out."""
    methods = dict.fromkeys(result.method for result in results)
    chosen = (_chosen(results, method, setting) for method in methods)
    return [_row(method, seeds) for method, seeds in zip(methods, chosen, strict=True) if seeds]


def tables(results: Sequence[Result], structures: Sequence[str], title: str) -> str:
    """Every setting's table of Dice in per cent, ready to print."""
    return "\n\n".join(
        _table(rows(results, setting), structures, f"{title}{', ' + setting if setting else ''}")
        for setting in settings(results)
    )


def document(results: Sequence[Result], facts: Mapping[str, Any]) -> dict[str, Any]:
    """`facts` (protocol, data, machine, model) with the rows of every setting and every single score."""
    summary = {setting or "all": [asdict(row) for row in rows(results, setting)] for setting in settings(results)}
    scores = [{"method": r.method, "seed": r.seed, **asdict(score)} for r in results for score in r.scores]
    return {**facts, "rows": summary, "scores": scores}


def extremes(scores: Sequence[Score]) -> dict[str, int]:
    """Positions of the worst, median and best score by Dice."""
    order = sorted(range(len(scores)), key=lambda position: scores[position].dice)
    return {"worst": order[0], "median": order[len(order) // 2], "best": order[-1]} if order else {}


def _chosen(results: Sequence[Result], method: str, setting: str) -> list[list[Score]]:
    """The method's scores in this setting, a list for each seed."""
    seeds = ([score for score in r.scores if score.setting == setting] for r in results if r.method == method)
    return [scores for scores in seeds if scores]


def _row(method: str, seeds: Sequence[Sequence[Score]]) -> Row:
    scores = [score for seed in seeds for score in seed]
    means = [mean(_dice_by_structure(seed).values()) for seed in seeds]
    gains = [score.retention_gain for score in scores if score.retention_gain is not None]
    return Row(
        method,
        _dice_by_structure(scores),
        mean(means),
        spread(means),
        median(score.hd95 for score in scores),
        median(score.seconds for score in scores),
        mean(gains) if gains else None,
    )


def _dice_by_structure(scores: Sequence[Score]) -> dict[str, float]:
    names = dict.fromkeys(score.structure for score in scores)
    return {name: mean(score.dice for score in scores if score.structure == name) for name in names}


def _table(lines: Sequence[Row], structures: Sequence[str], title: str) -> str:
    head = ["Dice %", *structures, "mean", "HD95 mm", "seconds"]
    return text_table(title, [head, *(_cells(row, structures) for row in lines)])


def _cells(row: Row, structures: Sequence[str]) -> list[str]:
    dice = (percent(row.dice.get(name)) for name in structures)
    return [row.method, *dice, percent(row.mean, row.spread), f"{row.hd95:.1f}", f"{row.seconds:.2f}"]
