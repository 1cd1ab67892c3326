"""What an episode looks at: how far its sweep goes, through how large and how close a window (ours).

Small structures are seen through small windows, on longer sweeps at the same cost: tubes are followed far. And they are
seen close up, as inference looks at what is small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DPLSegmentLib.training.config import TrainingConfig
from DPLSegmentLib.training.pack import RegionMap
from DPLSegmentLib.training.views import PlaneView, Window

_SMALL = ((96, 12), (128, 8))
_MARGIN = 20
_ENDS = 0.4
_BEYOND = 2
_THICKEST = (1.0, 9.0)
_CLOSE_DIAMETER = 48.0
_MOST_CLOSE = 2.5


@dataclass(frozen=True)
class Framing:
    """A sweep of `length` slices beyond the one at `start`, `step` slices apart, seen through `window`."""

    start: int
    step: int
    length: int
    window: Window


class Framer:
    """Draws framings; `config` says how large windows are, how long sweeps, and how often both are fitted."""

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config

    def frame(self, view: PlaneView, regions: RegionMap, label: int, generator: np.random.Generator) -> Framing:
        """For one region of a map: `config.crop` pixels and `config.rollout` slices, or a smaller window on a longer
        sweep where the region fits into it."""
        pixel = view.pixel * float(np.exp(generator.uniform(-0.3, 0.45)))
        pixel /= self._closeness(view, regions, label, pixel, generator)
        step = _step(view, generator)
        small = _SMALL if generator.random() < self.config.small_share else ()
        for crop, most in small:
            start, length = _long(view, regions, label, step, most, generator)
            box = view.box(regions, label, range(start, start + step * (length + 1), step))
            if box is not None and max(_sides(box, view)) / pixel + 2 * _MARGIN <= crop:
                return Framing(start, step, length, self.window(view, box, crop, pixel, generator))
        start = self._start(view, regions, label, step, generator)
        box = _extent(view, regions, label)
        return Framing(start, step, self.config.rollout, self.window(view, box, self.config.crop, pixel, generator))

    def window(
        self, view: PlaneView, box: np.ndarray, crop: int, pixel: float, generator: np.random.Generator
    ) -> Window:
        """Around a box [2, 2] of voxels, shifted, turned and mirrored a little at random."""
        jitter = generator.normal(0, 0.12, 2) * crop * pixel
        row, column = (float(side.mean()) + j / s for side, j, s in zip(box, jitter, view.plane, strict=True))
        angle = float(generator.normal(0, 0.15)) if generator.random() < 0.5 else 0.0
        return Window((row, column), pixel, angle, bool(generator.random() < 0.3), crop)

    def around(
        self, view: PlaneView, regions: RegionMap, label: int, seen: Window, generator: np.random.Generator
    ) -> Window:
        """On the same structure in another scan, as large, as close and turned as the window `seen`."""
        row, column = self.window(view, _extent(view, regions, label), seen.size, seen.pixel, generator).centre
        return Window((row, column), seen.pixel, seen.angle, seen.mirrored, seen.size)

    def _closeness(
        self, view: PlaneView, regions: RegionMap, label: int, pixel: float, generator: np.random.Generator
    ) -> float:
        if generator.random() >= self.config.close_share:
            return 1.0
        diameter = 2 * (view.area(regions, label) / np.pi) ** 0.5 / pixel
        most = np.clip(_CLOSE_DIAMETER / max(diameter, 1.0), 1.0, _MOST_CLOSE)
        return float(np.exp(generator.uniform(0, np.log(most))))

    def _start(self, view: PlaneView, regions: RegionMap, label: int, step: int, generator: np.random.Generator) -> int:
        first, last = (int(end) for end in regions.extents[label, view.axis])
        reach = abs(step) * self.config.rollout
        if generator.random() < _ENDS:
            first, last = (max(first, last - reach), last) if step > 0 else (first, min(last, first + reach))
        return int(generator.integers(first, max(last, first + 1)))


def _long(
    view: PlaneView, regions: RegionMap, label: int, step: int, most: int, generator: np.random.Generator
) -> tuple[int, int]:
    """Where a sweep of up to `most` slices starts, and its length: it goes on for two slices beyond an end."""
    first, last = (int(end) for end in regions.extents[label, view.axis])
    start = int(generator.integers(first, max(last, first + 1)))
    before_end = (last - 1 - start if step > 0 else start - first) // abs(step)
    return start, min(most, before_end + _BEYOND)


def _step(view: PlaneView, generator: np.random.Generator) -> int:
    thickest = generator.uniform(*_THICKEST)
    return int(np.clip(thickest // view.gap, 1, 4)) * (1 if generator.random() < 0.5 else -1)


def _extent(view: PlaneView, regions: RegionMap, label: int) -> np.ndarray:
    """[2, 2]: from and to in voxels of the plane, over all slices."""
    return np.delete(regions.extents[label], view.axis, 0)


def _sides(box: np.ndarray, view: PlaneView) -> tuple[float, float]:
    """In mm."""
    height, width = ((last - first) * side for (first, last), side in zip(box, view.plane, strict=True))
    return float(height), float(width)
