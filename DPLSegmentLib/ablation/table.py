"""The results of an ablation as a table for people and as a document for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from DPLSegmentLib.ablation.rows import SHIPPED
from DPLSegmentLib.ablation.shelf import TrialResult
from DPLSegmentLib.evaluation.text_table import percent, spread, text_table


def tables(results: Sequence[TrialResult], rows: Mapping[str, str], columns: Sequence[str], title: str) -> str:
    """Mean Dice in per cent and its spread over the seeds; then, where there is one, what each row differs from the
    shipped recipe with the same seeds.

    `rows` maps the name of each row to that of the row whose trials are its own.
    """
    head = ["Dice %", *columns]
    body = [_cells(name, own, [_dice(results, own, each) for each in columns]) for name, own in rows.items()]
    whole = text_table(title, [head, *body])
    others = {name: own for name, own in rows.items() if own != SHIPPED}
    if not others or all(result.row != SHIPPED for result in results):
        return whole
    head = ["points of Dice", *columns]
    body = [_cells(name, own, [_gains(results, own, each) for each in columns], True) for name, own in others.items()]
    return f"{whole}\n\n{text_table('Difference from the shipped recipe, seed by seed', [head, *body])}"


def document(results: Sequence[TrialResult], rows: Mapping[str, str], columns: Sequence[str]) -> dict[str, Any]:
    """For every row and column the mean, the spread and the value of each seed, all 0..1."""
    return {
        name: {each: _summary(_dice(results, own, each)) for each in columns} | {"trained as": own}
        for name, own in rows.items()
    }


def _dice(results: Sequence[TrialResult], row: str, column: str) -> dict[int, float]:
    """By seed."""
    return {result.seed: result.dice[column] for result in results if result.row == row}


def _gains(results: Sequence[TrialResult], row: str, column: str) -> dict[int, float]:
    """By seed that both have."""
    shipped = _dice(results, SHIPPED, column)
    own = _dice(results, row, column).items()
    return {seed: value - shipped[seed] for seed, value in own if seed in shipped}


def _cells(name: str, own: str, values: Sequence[Mapping[int, float]], signed: bool = False) -> list[str]:
    label = name if name == own else f"{name} ({own})"
    return [label, *(_cell(list(each.values()), signed) for each in values)]


def _cell(values: Sequence[float], signed: bool) -> str:
    if not values:
        return percent(None)
    shown = round(mean(values), 3) + 0.0  # no "-0.0"
    return ("+" if signed and shown >= 0 else "") + percent(shown, spread(values))


def _summary(values: Mapping[int, float]) -> dict[str, Any]:
    found = list(values.values())
    return {"mean": mean(found) if found else None, "spread": spread(found), "seeds": dict(values)}
