"""A progress bar on stderr: tqdm's on a terminal where it is installed, else plain lines."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from DPLSegmentLib.propagation.types import Progress

# Shares of a propagation's time, for one bar over all its stages; they need not be exact, only in order.
_STAGES = {"embed": (0.0, 0.35), "score": (0.35, 0.05), "sweep": (0.4, 0.55), "polish": (0.95, 0.05)}

_SILENCE = 60.0


class _Bar(Protocol):
    def show(self, percent: float, label: str) -> None: ...

    def close(self) -> None: ...


class ProgressBar:
    """Shows the fraction of the work that is done, what is at work, and the time left. Use as a context manager."""

    def __init__(self, title: str, parts: int = 1) -> None:
        """`parts` is how many pieces of about the same length the work has; `next_part` ends one."""
        self.title = title
        self._parts, self._finished, self._reached = parts, 0, 0.0
        self._bar = _best_bar()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        if kind is None:
            self._bar.show(100.0, self.title)
        self._bar.close()

    def update(self, fraction: float, label: str = "") -> None:
        """The current part is done to this fraction (0..1); never goes back."""
        done = (self._finished + min(max(fraction, 0.0), 1.0)) / self._parts
        self._reached = max(self._reached, done)
        self._bar.show(100.0 * self._reached, f"{self.title}: {label}" if label else self.title)

    def next_part(self) -> None:
        """The current part is finished."""
        self._finished = min(self._finished + 1, self._parts)

    def on_progress(self, progress: Progress) -> None:
        """Callback of `Engine.propagate` and `Engine.embed`."""
        start, share = _STAGES.get(progress.stage, (0.0, 0.0))
        self.update(start + share * progress.fraction, progress.stage)


class _TqdmBar:
    """tqdm's bar in percent."""

    def __init__(self) -> None:
        from tqdm import tqdm

        form = "{desc} {percentage:3.0f}%|{bar}| {elapsed} done, {remaining} left"
        self._bar = tqdm(total=100.0, bar_format=form, file=sys.stderr, dynamic_ncols=True, mininterval=0.2)

    def show(self, percent: float, label: str) -> None:
        self._bar.set_description_str(label, refresh=False)
        self._bar.update(percent - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class PlainBar:
    """A line for every tenth of the work, and one a minute, with the time left: for logs and for lack of tqdm."""

    def __init__(self) -> None:
        self._start = self._said = time.monotonic()
        self._shown = -1

    def show(self, percent: float, label: str) -> None:
        """Print a line when another tenth is done or a minute has passed."""
        if int(percent // 10) <= self._shown and time.monotonic() - self._said < _SILENCE:
            return
        self._shown, self._said = int(percent // 10), time.monotonic()
        print(f"{label} {percent:3.0f}%{self._left(percent)}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing to tidy up."""

    def _left(self, percent: float) -> str:
        if not 5.0 <= percent < 100.0:
            return ""
        seconds = (time.monotonic() - self._start) * (100.0 - percent) / percent
        return f", {seconds:.0f} s left"


def _best_bar() -> _Bar:
    if not sys.stderr.isatty():
        return PlainBar()
    try:
        return _TqdmBar()
    except ImportError:
        return PlainBar()
