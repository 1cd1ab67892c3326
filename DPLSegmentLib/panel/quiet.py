"""A listener of the worker that hears of the end alone."""

from __future__ import annotations

from DPLSegmentLib.propagation.types import Progress, SliceResult


class Quiet:
    """For jobs that nothing is shown of while they are under way; see `worker.requests.Listener`."""

    def on_progress(self, progress: Progress) -> None:
        """Nothing is shown."""

    def on_slice(self, result: SliceResult) -> None:
        """Nothing is shown."""
