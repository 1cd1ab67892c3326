"""How far a batch is, and how long it will still take."""

from __future__ import annotations

from collections.abc import Callable

from DPLSegmentLib.cohort.scans import State
from DPLSegmentLib.panel.cohort_board import Board
from DPLSegmentLib.panel.timeleft import TimeLeft, scan_fraction, spoken
from DPLSegmentLib.propagation.types import Progress


class Pace:
    """Counts from the first scan that is begun: what was finished before took no time."""

    def __init__(self, clock: Callable[[], float], translate: Callable[[str], str]) -> None:
        self._clock = clock
        self._ = translate
        self._time: TimeLeft | None = None
        self._all = 0
        self._left = 0

    def update(self, board: Board, progress: tuple[str, Progress] | None) -> None:
        """Look at the board; `progress` is that of the scan begun last, with its id."""
        if self._time is None and board.counts[State.RUNNING]:
            self._all = board.open
            self._time = TimeLeft(self._all, self._clock)
        if self._time is None:
            return
        self._left = board.open
        self._time.begin_scan(self._all - self._left)
        if progress is not None and board.state(progress[0]) is State.RUNNING:
            self._time.update(progress[1])
            board.progress(progress[0], scan_fraction(progress[1]))

    @property
    def fraction(self) -> float:
        """How much is done, 0..1."""
        return self._time.fraction if self._time else 0.0

    @property
    def text(self) -> str:
        """For the progress bar."""
        if self._time is None:
            return self._("Looking for scans, starting PyTorch")
        told = self._("{done} of {all} scans").format(done=self._all - self._left, all=self._all)
        return f"{told}, {spoken(self._time.seconds)} left" if self._time.seconds is not None else told
