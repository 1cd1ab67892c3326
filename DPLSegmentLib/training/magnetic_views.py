"""Views for the recogniser of MR: of MR, of CT in its disguise, and of MR that shows nothing of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from DPLSegmentLib.training.disguise import Disguise
from DPLSegmentLib.training.known_scans import KnownScan
from DPLSegmentLib.training.known_views import KnownView, Viewer

_DISGUISED, _OTHER = 0.42, 0.08


class MagneticViews:
    """Of `slices` slices each, of those `scans` that show anything of the `pairs` (see `Disguise`), or are of MR."""

    def __init__(
        self, viewer: Viewer, scans: Sequence[KnownScan], pairs: Mapping[int, int], named: int, slices: int
    ) -> None:
        self.viewer = viewer
        self.slices = slices
        self.paired = [scan for scan in scans if not all(scan.maybe[number] for number in pairs)]
        magnetic = [scan for scan in scans if scan.kind == "MR"]
        self.magnetic = [scan for scan in magnetic if scan.labels.any()]
        self.other = [scan for scan in magnetic if not scan.labels.any()]
        self.disguise = Disguise(pairs, named, self.magnetic)

    def draw(self, generator: np.random.Generator) -> tuple[KnownScan, KnownView]:
        """One of them."""
        kind = generator.random()
        if kind < _DISGUISED:
            scan = self.disguise.of(_any(self.paired, generator), generator)
        else:
            scan = _any(self.other if self.other and kind > 1 - _OTHER else self.magnetic, generator)
        return scan, self.viewer.look(scan, generator, self.slices)


def _any(scans: Sequence[KnownScan], generator: np.random.Generator) -> KnownScan:
    return scans[int(generator.integers(len(scans)))]
