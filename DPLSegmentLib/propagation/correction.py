"""What was learnt on painted slices, put right on the others (ours)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp

import torch
from torch import Tensor

from DPLSegmentLib.propagation.log_odds import shifted

_DRIFT_SLICES = 3
_NEAR_SLICES = 10.0

Stretch = tuple[int, int]


@dataclass(frozen=True)
class Shift:
    """Added to log odds, more with the distance in slices from what is painted: `drift`, in full after three slices,
    and `more`, in full after `way` slices."""

    drift: float
    more: float
    way: float

    def at(self, distance: int) -> float:
        """On a slice that far from the nearest painted one."""
        return self.drift * min(1.0, distance / _DRIFT_SLICES) + self.more * min(1.0, distance / self.way)


@dataclass(frozen=True, eq=False)
class Correction:
    """A shift of log odds, and what is missing then, [H, W] in -1..1: around painted slices (`near`, by index) and, as
    the sum of both ends, on stretches between two of them (`between`, by the indices of the ends)."""

    shift: Shift
    near: Mapping[int, Tensor]
    between: Mapping[Stretch, Tensor]

    def of(self, index: int, nearest: int, probability: Tensor) -> Tensor:
        """Probabilities [H, W] of a slice put right; `nearest` is the painted slice that is nearest."""
        distance = abs(index - nearest)
        missing = self._between(index)
        if nearest in self.near:
            missing = missing + self.near[nearest] * exp(-distance / _NEAR_SLICES)
        return (shifted(probability, self.shift.at(distance)) + missing).clamp(0, 1)

    def _between(self, index: int) -> Tensor:
        """A quarter of what both ends miss in the middle of a stretch, less towards them: the error of an end grows
        along the way of the sweep that made it, while that sweep loses weight against the one from there."""
        for (first, last), missing in self.between.items():
            if first < index < last:
                return missing * ((index - first) * (last - index) / (last - first) ** 2)
        return torch.zeros(())
