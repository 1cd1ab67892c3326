"""What is known in the scans that were looked at last (ours)."""

from __future__ import annotations

from collections.abc import Sequence

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.known import KnownStructure, Recognised
from DPLSegmentLib.propagation.painted import PaintedSlice
from DPLSegmentLib.propagation.recognition import Recognition, recognition
from DPLSegmentLib.propagation.sweep import SweepRange
from DPLSegmentLib.propagation.types import CancelToken


class Sights:
    """Looks at scans with the recogniser of a network; of two it is kept what is known there, as other scans are looked
    at in turn with the painted one. Everything here may raise Cancelled."""

    def __init__(self, network: SegmentationNetwork) -> None:
        self.network = network
        self._kept: list[tuple[Embedding, Recognition | None]] = []

    def of(self, embedding: Embedding, volume: Volume) -> Recognition | None:
        """What is known in a scan; None where nothing is known of its kind."""
        known = [sight for seen, sight in self._kept if seen is embedding]
        sight = known[0] if known else recognition(self.network, embedding, volume)
        self._kept = [*[each for each in self._kept if each[0] is not embedding][-1:], (embedding, sight)]
        return sight

    def known(
        self, embedding: Embedding, volume: Volume, painted: Sequence[PaintedSlice], cancel: CancelToken | None
    ) -> KnownStructure | None:
        """Where a structure is that the model knows by name, on the scan it is painted on."""
        sight = self.of(embedding, volume)
        return sight.known(painted, cancel) if sight else None

    def recognised(
        self, embedding: Embedding, volume: Volume, painted: Sequence[PaintedSlice], cancel: CancelToken | None
    ) -> Recognised | None:
        """What is painted, where that can be found again in other scans."""
        sight = self.of(embedding, volume)
        return sight.recognised(painted, cancel) if sight and sight.drawn else None

    def found(
        self,
        embedding: Embedding,
        volume: Volume,
        recognised: Recognised,
        area_mm2: float,
        reach: SweepRange,
        cancel: CancelToken | None,
    ) -> KnownStructure | None:
        """What was recognised in another scan; see `Recognition.found`."""
        sight = self.of(embedding, volume)
        return sight.found(recognised, area_mm2, reach, cancel) if sight else None
