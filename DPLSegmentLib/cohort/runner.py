"""The seams of a batch: who does the work, who is told, and who says stop."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

from DPLSegmentLib.cohort.scans import Job, Record
from DPLSegmentLib.propagation.types import Progress


class Listener(Protocol):
    """Told from any thread, one call at a time for each scan."""

    def on_started(self, scan: str, worker: str) -> None:
        """A scan, by its id, is at work; `worker` is "" in this process."""
        ...

    def on_progress(self, progress: Progress) -> None:
        """How far the scan at work is; in this process only."""
        ...

    def on_record(self, record: Record) -> None:
        """A scan is done or has failed."""
        ...

    def on_note(self, sentence: str) -> None:
        """Something that is not about one scan, for the log."""
        ...


class Stop:
    """Asked between scans and between slices; may be set from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """No further scan is begun; the running one ends, written or not at all."""
        self._event.set()

    def cancelled(self) -> bool:
        """True once `set` was called."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait, at most so long; true when it was set."""
        return self._event.wait(seconds)


class Runner(Protocol):
    """Does jobs somewhere."""

    def run(self, jobs: Sequence[Job], listener: Listener, stop: Stop) -> None:
        """Returns when all have a record, or soon after `stop` was set.

        Raises CohortError when nothing can be done at all (no model, no cluster).
        """
        ...
