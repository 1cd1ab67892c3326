"""Dice of every structure by every method, as dots on lines: a table of many structures is too wide to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from DPLSegmentLib.evaluation.report import Result, rows, settings

_COLORS = ("#0b6fb8", "#d95f02", "#1b9e77", "#7570b3", "#a6761d", "#666666", "#e7298a")
_MARKERS = "osD^vPX"
_LINE_INCHES = 0.21


def series(results: Sequence[Result]) -> dict[str, Mapping[str, float]]:
    """Dice 0..1 by structure of each method in each setting."""
    every = settings(results)
    return {
        f"{row.method}, {setting}" if len(every) > 1 else row.method: row.dice
        for setting in every
        for row in rows(results, setting)
    }


def draw_scores(results: Sequence[Result], title: str, path: Path) -> None:
    """Write a PNG, structures from the best to the worst of the first method. Raises OSError where it cannot be
    written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = series(results)
    first = next(iter(drawn.values()), {})
    structures = sorted(first, key=lambda name: first[name])
    figure = Figure(figsize=(8.5, 1.6 + _LINE_INCHES * len(structures)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for number, (label, dice) in reversed(list(enumerate(drawn.items()))):
        _draw_method(axes, [100 * dice.get(name, float("nan")) for name in structures], number, label)
    axes.set(xlim=(0, 100), ylim=(-0.7, len(structures) - 0.3), xlabel="Dice %", title=title)
    axes.set_yticks(range(len(structures)), structures, fontsize=8)
    axes.title.set_fontsize(9)
    axes.grid(axis="both", linewidth=0.4)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside lower center", ncols=4, fontsize=8)
    figure.savefig(path, dpi=110)


def _draw_method(axes: Any, values: Sequence[float], number: int, label: str) -> None:
    """The first method large and over the others."""
    style = {"color": _COLORS[number % len(_COLORS)], "marker": _MARKERS[number % len(_MARKERS)], "linestyle": "none"}
    axes.plot(values, range(len(values)), label=label, markersize=4 if number else 7, **style)
