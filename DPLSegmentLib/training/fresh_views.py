"""Where the recogniser's lesson gets its views from: a new one each time, or some that come again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch

from DPLSegmentLib.training.known_scans import KnownScan
from DPLSegmentLib.training.known_views import KnownView, Viewer


class Views(Protocol):
    """A scan and a view of it, drawn from the generator."""

    def draw(self, generator: np.random.Generator) -> tuple[KnownScan, KnownView]: ...


class FreshViews:
    """Always of `slices` slices: a graphics card gets ready for every new shape, which takes it longer than the work
    itself."""

    def __init__(self, viewer: Viewer, scans: Sequence[KnownScan], slices: int) -> None:
        self.viewer = viewer
        self.scans = scans
        self.slices = slices

    def draw(self, generator: np.random.Generator) -> tuple[KnownScan, KnownView]:
        """Of any scan."""
        scan = self.scans[int(generator.integers(len(self.scans)))]
        return scan, self.viewer.look(scan, generator, self.slices)


class KeptViews:
    """`each` views of every scan, made when they are first drawn and kept: on a CPU a look takes as long as the lesson.

    A view is the same whenever it is made; it depends on the `seeds` alone. 16 MB each where slices are 16.
    """

    def __init__(
        self, viewer: Viewer, scans: Sequence[KnownScan], slices: int, each: int, seeds: Sequence[int]
    ) -> None:
        self.viewer = viewer
        self.scans = scans
        self.slices = slices
        self.each = each
        self.seeds = seeds
        self._kept: dict[tuple[int, int], KnownView] = {}

    def draw(self, generator: np.random.Generator) -> tuple[KnownScan, KnownView]:
        """Any of them."""
        chosen = int(generator.integers(len(self.scans))), int(generator.integers(self.each))
        if chosen not in self._kept:
            self._kept[chosen] = self._look(*chosen)
        return self.scans[chosen[0]], self._kept[chosen]

    def _look(self, scan: int, number: int) -> KnownView:
        generator = np.random.default_rng([*self.seeds, scan, number])
        with torch.random.fork_rng():
            torch.manual_seed(int(generator.integers(2**31)))
            return self.viewer.look(self.scans[scan], generator, self.slices)
