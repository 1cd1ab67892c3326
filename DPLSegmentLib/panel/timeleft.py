"""How far a run over several scans is, and how long it will still take."""

from __future__ import annotations

from collections.abc import Callable

from DPLSegmentLib.propagation.types import Progress

_BEGIN = {"embed": 0.0, "score": 0.5, "sweep": 0.55, "polish": 0.95}
_SHARE = {"embed": 0.5, "score": 0.05, "sweep": 0.4, "polish": 0.05}
_TITLES = {"embed": "Reading the scan", "score": "Looking for it", "sweep": "Segmenting", "polish": "Finishing"}
_SOON = 0.04
_LEAST_SECONDS = 1.0


class TimeLeft:
    """Takes progress of one scan after the other; never goes back."""

    def __init__(self, scans: int, clock: Callable[[], float]) -> None:
        self._scans = scans
        self._clock = clock
        self._start = clock()
        self._scan = 0
        self.fraction = 0.0
        self._title = "Starting"

    def begin_scan(self, number: int) -> None:
        """Scan `number`, from 0, is next; the ones before it are done or have failed."""
        self._scan = number
        self._advance(number / self._scans)
        self._title = "Starting"

    def update(self, progress: Progress) -> None:
        """What the engine says of the scan it is at."""
        self._title = _TITLES.get(progress.stage, progress.stage)
        self._advance((self._scan + scan_fraction(progress)) / self._scans)

    @property
    def seconds(self) -> float | None:
        """Seconds left; None while it is too early to tell."""
        spent = self._clock() - self._start
        if self.fraction < _SOON or spent < _LEAST_SECONDS:
            return None
        return spent * (1 - self.fraction) / self.fraction

    @property
    def text(self) -> str:
        """What it is doing, for which scan of how many, and the time left, for the progress bar."""
        parts = [self._title]
        if self._scans > 1:
            parts.append(f"scan {self._scan + 1} of {self._scans}")
        if self.seconds is not None:
            parts.append(f"{spoken(self.seconds)} left")
        return ", ".join(parts)

    def _advance(self, fraction: float) -> None:
        self.fraction = max(self.fraction, min(fraction, 1.0))


def scan_fraction(progress: Progress) -> float:
    """How much of one scan is done, 0..1."""
    within = _BEGIN.get(progress.stage, 0.0) + _SHARE.get(progress.stage, 0.0) * progress.fraction
    return min(within, 1.0)


def spoken(seconds: float) -> str:
    """A duration as it is said: "40 s", "12 min", "2.5 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
