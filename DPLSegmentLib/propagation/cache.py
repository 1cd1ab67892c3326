"""Embeddings that were made before, as many as the memory bound allows."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable
from weakref import WeakKeyDictionary

import numpy as np

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.embedding import Embedding

Key = tuple[Hashable, ...]


class EmbeddingCache:
    """Keeps the most recently used embeddings within `limit` bytes; the newest is always kept."""

    def __init__(self, limit: int = 1 << 30) -> None:
        self.limit = limit
        self._kept: OrderedDict[Key, Embedding] = OrderedDict()

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes."""
        return sum(embedding.nbytes for embedding in self._kept.values())

    def get(self, key: Key) -> Embedding | None:
        """The embedding kept under `key`, which becomes the most recently used."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: Key, embedding: Embedding) -> None:
        """Keep an embedding; the least recently used ones are dropped until the bound holds."""
        self._kept[key] = embedding
        self._kept.move_to_end(key)
        while self.nbytes > self.limit and len(self._kept) > 1:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()


_known: WeakKeyDictionary[Volume, str] = WeakKeyDictionary()


def fingerprint(volume: Volume) -> str:
    """Tells scans apart by voxels and geometry; computed once for a volume object."""
    if volume not in _known:
        _known[volume] = _digest(volume)
    return _known[volume]


def _digest(volume: Volume) -> str:
    digest = hashlib.blake2b(np.ravel(volume.array), digest_size=16)
    digest.update(repr((volume.array.shape, volume.array.dtype.str)).encode())
    digest.update(volume.ijk_to_ras.round(6).tobytes())
    return digest.hexdigest()
