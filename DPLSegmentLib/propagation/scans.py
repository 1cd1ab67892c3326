"""Scans as the network sees them, those that were looked at last from memory (ours)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from DPLSegmentLib.images.intensity import Kind, detect_kind, intensity_window
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.cache import EmbeddingCache, Key, fingerprint
from DPLSegmentLib.propagation.closeup import CloseUp
from DPLSegmentLib.propagation.embedding import Embedder, Embedding
from DPLSegmentLib.propagation.types import CancelToken, OnProgress, Support

_CT_SHIFT = 1024.0


@dataclass(frozen=True, eq=False)
class Scans:
    """Embeds scans, or takes them from the cache; everything here may raise Cancelled. `window` are the stored values
    shown as 0 and 1, `whole` keeps the air around the patient."""

    embedder: Embedder
    cache: EmbeddingCache

    def embedded(
        self,
        volume: Volume,
        axis: int,
        on_progress: OnProgress | None,
        cancel: CancelToken | None,
        window: tuple[float, float] | None = None,
        whole: bool = False,
    ) -> Embedding:
        """A scan, cut along an array axis."""
        window = window or intensity_window(volume.array)
        key = (fingerprint(volume), axis, window, whole)
        return self._kept(key, lambda: self.embedder.embed(volume, axis, window, whole, on_progress, cancel))

    def painted(
        self, support: Support, axis: int, on_progress: OnProgress | None, cancel: CancelToken | None
    ) -> Embedding:
        """A painted scan; all of it where something is painted outside of the patient."""
        embedding = self.embedded(support.volume, axis, on_progress, cancel, support.window)
        if embedding.shows(support.region):
            return embedding
        return self.embedded(support.volume, axis, on_progress, cancel, support.window, whole=True)

    def closely(
        self,
        support: Support,
        embedding: Embedding,
        close: CloseUp,
        on_progress: OnProgress | None,
        cancel: CancelToken | None,
    ) -> Embedding:
        """A part of a painted scan, through finer pixels than those of its `embedding`."""
        key = (fingerprint(support.volume), embedding.stack.axis, support.window, close)
        part = (embedding, close.pixel_mm, close.box)
        return self._kept(key, lambda: self.embedder.embed_closely(*part, on_progress, cancel))

    def _kept(self, key: Key, embed: Callable[[], Embedding]) -> Embedding:
        known = self.cache.get(key)
        if known is None:
            known = embed()
            self.cache.put(key, known)
        return known


def hounsfield_window(support: Support) -> tuple[float, float] | None:
    """The window of a painted CT in HU; None for scans of another kind."""
    kind = detect_kind(support.volume.array)
    if kind not in (Kind.HU, Kind.HU_SHIFTED):
        return None
    low, high = support.window
    return low - _shift(kind), high - _shift(kind)


def window_for(query: Volume, hounsfield: tuple[float, float] | None) -> tuple[float, float]:
    """What a scan is to be seen through: a window in HU if it is a CT and one is given, otherwise its own."""
    kind = detect_kind(query.array)
    if hounsfield is None or kind not in (Kind.HU, Kind.HU_SHIFTED):
        return intensity_window(query.array)
    return hounsfield[0] + _shift(kind), hounsfield[1] + _shift(kind)


def _shift(kind: Kind) -> float:
    return _CT_SHIFT if kind is Kind.HU_SHIFTED else 0.0
