"""Every number of the bench, for ours and for the baselines that a user of Slicer could take instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from DPLSegmentLib.evaluation.bench_scan import BenchScan
from DPLSegmentLib.evaluation.cold import OURS, ColdStart, cold_start
from DPLSegmentLib.evaluation.onnx_speed import encoder_milliseconds
from DPLSegmentLib.evaluation.seam import Segmenter
from DPLSegmentLib.evaluation.speed import embedded_slices_a_second, first_neighbour, propagation, segmentation
from DPLSegmentLib.evaluation.text_table import columns
from DPLSegmentLib.propagation.engine import Engine

ORGANS = 4


@dataclass(frozen=True)
class Line:
    """One measured quantity: values by method (None: does not apply or not told) and what it should be."""

    name: str
    unit: str
    values: dict[str, float | None]
    target: str = ""


@dataclass(frozen=True, eq=False)
class Bench:
    """What is measured; `runs` is how many runs each median is taken over (the slow baselines get three at most)."""

    engine: Engine
    scan: BenchScan
    others: Sequence[Segmenter]
    runs: int = 5
    device: str = "auto"
    weights: Path | None = None

    def lines(self) -> Iterator[Line]:
        """Measure line after line; minutes with the baselines, half a minute without."""
        yield from self._cold()
        rate = embedded_slices_a_second(self.engine, self.scan.volume, self.runs)
        yield Line("slices embedded a second", "1/s", {OURS: rate}, ">= 100")
        yield self._first()
        yield self._organs(1, "<= 3")
        yield self._organs(ORGANS, "")
        yield from self._encoder()

    def _cold(self) -> Iterator[Line]:
        names = [OURS, *(other.name for other in self.others)]
        starts = {name: self._cold_starts(name) for name in names}
        for title, unit, target, value in _COLD_LINES:
            yield Line(title, unit, {name: value(found) for name, found in starts.items()}, target)

    def _cold_starts(self, name: str) -> list[ColdStart]:
        support = self.scan.support(1)
        return [cold_start(name, support, self.device, self.weights) for _ in range(min(self.runs, 3))]

    def _first(self) -> Line:
        paintings = [self.scan.support(1, shift) for shift in self._shifts(self.runs)]
        return Line(
            "first neighbouring slice after a paint", "s", {OURS: first_neighbour(self.engine, paintings)}, "<= 0.2"
        )

    def _organs(self, count: int, target: str) -> Line:
        paintings = [self.scan.support(count, shift) for shift in self._shifts(self.runs)]
        few = paintings[: 3 if count == 1 else 1]
        values = {OURS: propagation(self.engine, paintings)}
        values |= {other.name: segmentation(other, few) for other in self.others}
        return Line(f"{count} organ{'s' if count > 1 else ''} through 140 slices after a re-paint", "s", values, target)

    def _encoder(self) -> Iterator[Line]:
        found = encoder_milliseconds(self.engine.network.encoder) if self.engine.device.type == "cpu" else None
        if found:
            yield Line("encoder, a slice", "ms", {OURS: found[0]})
            yield Line("encoder in ONNX Runtime, a slice", "ms", {OURS: found[1]})
            yield Line("encoder, PyTorch to ONNX Runtime", "x", {OURS: found[0] / found[1]}, "<= 1.2")

    def _shifts(self, count: int) -> list[int]:
        """Slices below the largest one: each run paints another, as a re-paint does."""
        return [-(number % 5) for number in range(count)]


def table(lines: Sequence[Line], methods: Sequence[str]) -> str:
    """The lines for the terminal."""
    cells = [["", *methods, "target"], *([_named(line), *_values(line, methods), line.target] for line in lines)]
    return columns(cells)


def _named(line: Line) -> str:
    return f"{line.name} ({line.unit})"


def _values(line: Line, methods: Sequence[str]) -> list[str]:
    found = (line.values.get(name) for name in methods)
    return ["-" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}" for value in found]


def _median_megabytes(starts: Sequence[ColdStart]) -> float | None:
    told = [start.megabytes for start in starts if start.megabytes is not None]
    return median(told) if told else None


_COLD_LINES: tuple[tuple[str, str, str, Callable[[Sequence[ColdStart]], float | None]], ...] = (
    ("cold start to first slice", "s", "", lambda starts: median(start.first for start in starts)),
    ("cold start to finished result", "s", "<= 15", lambda starts: median(start.whole for start in starts)),
    ("peak memory", "MB", "<= 2000", _median_megabytes),
)
