"""Where the recogniser's lesson gets its views from: each is a new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

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
