"""What the losses did: a CSV file and a curve."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path


class LossLog:
    """Means over `every` steps, appended to `losses.csv`; rows past the resumed step are dropped."""

    def __init__(self, folder: Path, start: int, every: int = 20) -> None:
        self.path = folder / "losses.csv"
        self.every = every
        self._sums: dict[str, float] = {}
        self._count = 0
        self._rows = [row for row in self._read() if int(row["step"]) <= start]

    def add(self, step: int, losses: Mapping[str, float]) -> None:
        """Collect one step's losses."""
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1
        if step % self.every == 0:
            means = {name: f"{total / self._count:.5f}" for name, total in self._sums.items()}
            self._rows.append({"step": str(step), **means})
            self._sums, self._count = {}, 0

    def write(self) -> None:
        """Write `losses.csv`, and `losses.png` where matplotlib is installed."""
        if not self._rows:
            return
        partial = self.path.with_suffix(".partial")
        with partial.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(self._rows[-1]), restval="0", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self._rows)
        partial.replace(self.path)
        self._draw()

    def _read(self) -> list[dict[str, str]]:
        if not self.path.is_file():
            return []
        with self.path.open(newline="") as file:
            return list(csv.DictReader(file))

    def _draw(self) -> None:
        try:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure
        except ImportError:
            return
        figure = Figure(figsize=(9, 5), layout="constrained")
        axes = figure.add_subplot(xlabel="optimiser step", ylabel="weighted loss", yscale="log")
        steps = [int(row["step"]) for row in self._rows]
        for name in [name for name in self._rows[-1] if name != "step"]:
            axes.plot(steps, _smooth([float(row.get(name) or 0) for row in self._rows]), label=name)
        axes.legend(ncols=3)
        axes.grid(alpha=0.3)
        FigureCanvasAgg(figure).print_png(self.path.with_suffix(".png"))


def _smooth(values: list[float], keep: float = 0.9) -> list[float]:
    smoothed, running = [], values[0]
    for value in values:
        running = keep * running + (1 - keep) * value
        smoothed.append(max(running, 1e-5))
    return smoothed
