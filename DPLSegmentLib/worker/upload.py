"""An array on its way into shared memory, a few MiB at a time, so that the main thread is never held up."""

from __future__ import annotations

import numpy as np

from DPLSegmentLib.worker.blocks import SharedArray

_PIECE = 4 << 20


class Upload:
    """Copies an array [z, y, x] into a block of its own. Parts of a mask in which nothing is painted cost nothing."""

    def __init__(self, source: np.ndarray) -> None:
        self.block = SharedArray.create(source.shape, source.dtype)
        self._source = source
        self._row = max(1, source[:1].nbytes)
        self._copied = 0

    @property
    def finished(self) -> bool:
        """Whether all of it is there."""
        return self._copied >= len(self._source)

    def step(self) -> None:
        """Copy the next slices; raises OSError when the system has no memory for them."""
        start, stop = self._copied, self._copied + max(1, _PIECE // self._row)
        piece = self._source[start:stop]
        if piece.dtype != bool or piece.any():
            self.block.reserve(start * self._row, piece.nbytes)
            self.block.array[start:stop] = piece
        self._copied = stop

    def release(self) -> None:
        """Let go of the block; the worker keeps what it has taken."""
        self.block.close()
        self.block.unlink()
