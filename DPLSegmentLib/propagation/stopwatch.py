"""Seconds per stage."""

from __future__ import annotations

import time


class Stopwatch:
    """Each lap adds the time since the last one to its stage in `seconds`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, stage: str) -> None:
        """What happened since the last lap belongs to `stage`."""
        now = time.monotonic()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now
