"""How far a border can move from one slice to the next (ours)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.evidence import LARGE

_ALWAYS_MM = 2.0
_SLOPE = 0.3
_LARGE_SLOPE = 0.15
_NARROW, _NARROW_MM, _NARROW_SLOPE = 200, 3.0, 1.0
_WIDENING_MM = 6.0
_WIDENING_SLOPE = 0.8
_WIDER = 1.05
_SHRUNK = 0.9
_INSIDE = 0.5


@dataclass
class Growth:
    """Follows one sweep from its seed of `seed` pixels; `largest` is the largest cross-section so far.

    `strict` holds large cross-sections tighter: for sweeps from paint through thick slices.
    """

    seed: float
    strict: bool = True
    largest: float = 0.0

    def within_reach(self, probability: Tensor, mask: Tensor, gap_mm: float, pixel_mm: float) -> Tensor:
        """A probability [H, W] without what lies further outside the last mask [H, W] than its border moves.

        That is 2 mm and 0.3 times the gap (mm): a structure that keeps its size or becomes smaller seldom widens on one
        side, but a sweep that runs into a neighbour does. It is 0.15 times the gap for a large cross-section in a
        strict sweep, 3 mm and the gap for one below 200 working pixels, as what is narrow may run obliquely, and 6 mm
        and 0.8 times the gap where the seed lay near an end and the cross-section has been widening ever since.
        """
        inside = (mask > _INSIDE).to(probability)
        always, slope = self._pace(float(inside.sum()))
        reach = max(1, round((always + slope * gap_mm) / pixel_mm))
        rows = functional.max_pool2d(inside[None, None], (2 * reach + 1, 1), 1, (reach, 0))
        return probability * functional.max_pool2d(rows, (1, 2 * reach + 1), 1, (0, reach))[0, 0]

    def _pace(self, area: float) -> tuple[float, float]:
        if self._widens(area):
            return _WIDENING_MM, _WIDENING_SLOPE
        if area < _NARROW:
            return _NARROW_MM, _NARROW_SLOPE
        return _ALWAYS_MM, _LARGE_SLOPE if self.strict and area >= LARGE else _SLOPE

    def _widens(self, area: float) -> bool:
        self.largest = max(self.largest, area)
        return area > _WIDER * self.seed and area > _SHRUNK * self.largest


def growth_from(mask: Tensor, strict: bool = True) -> Growth:
    """For a sweep that begins with a mask [H, W]."""
    return Growth(float((mask > _INSIDE).sum()), strict)
