"""A case as a picture: a few slices, the truth dashed and the result solid."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from DPLSegmentLib.evaluation.snapshot import Snapshot
from DPLSegmentLib.evaluation.tasks import Score

TRUTH, RESULT = "#ffd23f", "#3fd0ff"


def draw(snapshot: Snapshot, score: Score, path: Path) -> None:
    """Write a PNG of the snapshot's slices in one row. Raises OSError where it cannot be written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(snapshot.indices), 3.9), layout="constrained", facecolor="black")
    FigureCanvasAgg(figure)
    for position, index in enumerate(snapshot.indices):
        axes = figure.add_subplot(1, len(snapshot.indices), position + 1)
        _draw_slice(axes, snapshot, position)
        axes.set_title(f"slice {index}", color="white", fontsize=9)
    figure.suptitle(_title(score), color="white", fontsize=11)
    figure.supxlabel("dashed: truth     solid: result", color="white", fontsize=9)
    figure.savefig(path, dpi=110)


def _draw_slice(axes: object, snapshot: Snapshot, position: int) -> None:
    low, high = np.percentile(snapshot.image, (1, 99.5))
    y, x = snapshot.spacing
    axes.imshow(snapshot.image[position], cmap="gray", vmin=low, vmax=max(high, low + 1e-6), aspect=y / x)
    for masks, color, style in ((snapshot.result, RESULT, "solid"), (snapshot.truth, TRUTH, "dashed")):
        if masks[position].any():
            axes.contour(masks[position], [0.5], colors=color, linestyles=style, linewidths=1.3)
    axes.set_axis_off()


def _title(score: Score) -> str:
    setting = f", {score.setting}" if score.setting else ""
    return f"{score.structure}, {score.case}{setting}: Dice {100 * score.dice:.1f} %, HD95 {score.hd95:.1f} mm"
