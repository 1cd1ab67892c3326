"""The engine of one worker and what it looks for."""

from __future__ import annotations

from pathlib import Path

from DPLSegmentLib.cohort.errors import CohortError
from DPLSegmentLib.cohort.orders import Orders
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.cache import fingerprint
from DPLSegmentLib.propagation.engine import Engine, load_engine
from DPLSegmentLib.propagation.prototype_set import PrototypeSet
from DPLSegmentLib.propagation.types import CancelToken, OnProgress, Propagation, Support


class Segmenter:
    """Segments scan after scan in the same memory: no embedding is kept once its scan is done."""

    def __init__(self, engine: Engine, prototypes: PrototypeSet, supports: tuple[Support, ...] = ()) -> None:
        self.engine = engine
        self._prototypes = prototypes
        self._supports = {fingerprint(support.volume): support for support in supports}
        engine.cache.limit = 0
        engine.cache.clear()

    def propagate(
        self, volume: Volume, on_progress: OnProgress | None = None, cancel: CancelToken | None = None
    ) -> Propagation:
        """As `Engine.propagate` with the painted scans; a scan that is one of them keeps what was painted."""
        own = self._supports.get(fingerprint(volume))
        source = [own] if own else self._prototypes
        try:
            return self.engine.propagate(source, volume, on_progress=on_progress, cancel=cancel)
        finally:
            self.engine.cache.clear()


def load_segmenter(orders: Orders) -> Segmenter:
    """Load the model and make or read the prototypes.

    Raises CohortError when the weights are others than where the batch was started; CheckpointError, DeviceError or
    PropagationError as the engine does.
    """
    engine = load_engine(orders.device, _weights(orders))
    if engine.model_id != orders.model_id:
        raise CohortError(
            f"This worker has model {engine.model_id}, the batch was started with model {orders.model_id}: "
            "install the same version of DPLSegment on both."
        )
    return Segmenter(engine, orders.source.prototypes(engine), orders.source.supports())


def _weights(orders: Orders) -> Path | None:
    return Path(orders.weights) if orders.weights else None
