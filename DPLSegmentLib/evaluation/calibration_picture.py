"""The reliability diagram and the error-retention curves of a set of voxels, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from DPLSegmentLib.evaluation.calibration import BINS, reliability
from DPLSegmentLib.evaluation.metrics import error_retention_area
from DPLSegmentLib.evaluation.voxels import Voxels

CONFIDENCE, MARGIN, PROBABILITY, SHARE = "#1f77b4", "#d95f02", "#7a7a7a", "#c9d9ea"
_POINTS = 400


def draw_calibration(voxels: Voxels, title: str, path: Path) -> None:
    """Write a PNG. Raises OSError where it cannot be written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_reliability(left, voxels)
    _draw_retention(right, voxels)
    figure.suptitle(title, fontsize=11)
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=110)


def _draw_reliability(axes: Any, voxels: Voxels) -> None:
    kinds = (
        ("confidence", voxels.confidence, CONFIDENCE, "o-"),
        ("margin |2p − 1|", voxels.margin, MARGIN, "s-"),
        ("probability p", voxels.probability, PROBABILITY, "^--"),
    )
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
    shares = reliability(voxels.confidence, voxels.right).share
    middles = (np.arange(BINS) + 0.5) / BINS
    axes.bar(middles, shares, 0.9 / BINS, color=SHARE, label="share of voxels by confidence")
    for name, values, color, style in kinds:
        found = reliability(values, voxels.right)
        axes.plot(found.predicted, found.observed, style, color=color, label=f"{name}: ECE {100 * found.error:.1f} %")
    axes.set(xlim=(0, 1), ylim=(0, 1.02), title="Reliability")
    axes.set(xlabel="what is said of a voxel", ylabel="observed share that is right")
    axes.legend(loc="upper left", fontsize=8)


def _draw_retention(axes: Any, voxels: Voxels) -> None:
    wrong, right = ~voxels.right, voxels.right.astype(np.float32)
    kinds = (("confidence", voxels.confidence, CONFIDENCE), ("margin |2p − 1|", voxels.margin, MARGIN))
    for name, values, color in kinds:
        label = f"{name}: area {100 * error_retention_area(wrong, values):.2f} %"
        axes.plot(*_retention(wrong, values), color=color, label=label)
    axes.plot([0, 1], [0, 100 * wrong.mean()], color="black", linewidth=0.8, linestyle=":", label="chance")
    best = 100 * error_retention_area(wrong, right)
    axes.plot(*_retention(wrong, right), color="black", linewidth=0.8, label=f"best possible: area {best:.2f} %")
    axes.set(xlim=(0, 1), xlabel="share of voxels kept, surest first", ylabel="error that is left, % of all voxels")
    axes.set(ylim=(0, None), title="Error retention (lower is better)")
    axes.legend(loc="upper left", fontsize=8)


def _retention(wrong: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Some points of the curve: share kept, and error left in per cent."""
    left = np.cumsum(wrong[np.argsort(-confidence, kind="stable")])
    chosen = np.unique(np.linspace(0, len(left) - 1, _POINTS).astype(int))
    return (chosen + 1) / len(left), 100 * left[chosen] / len(left)
