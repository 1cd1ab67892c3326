"""Writes prototypes to a file, in the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from DPLSegmentLib.panel.quiet import Quiet
from DPLSegmentLib.propagation.types import Propagation
from DPLSegmentLib.worker.client import Worker
from DPLSegmentLib.worker.requests import PaintedScan


class Saving(Quiet):
    """`say` takes a sentence and whether it is an error."""

    def __init__(self, worker: Worker, say: Callable[[str, bool], None]) -> None:
        self._worker = worker
        self._say = say
        self._path: Path | None = None
        self._then: Callable[[], None] | None = None

    @property
    def busy(self) -> bool:
        """Whether a file is being written."""
        return self._path is not None

    def start(self, supports: Sequence[PaintedScan], path: Path, then: Callable[[], None] | None = None) -> None:
        """Ask the worker to write a file; once it is there `then` is called, or the user told."""
        self._path, self._then = path, then
        self._worker.save_prototypes(supports, path, self)

    def on_done(self, result: Propagation | None) -> None:
        """See `worker.requests.Listener`."""
        path, self._path = self._path, None
        if self._then is not None:
            self._then()
        else:
            self._say(f"The prototypes are in {path}.", False)

    def on_failed(self, sentence: str) -> None:
        """See `worker.requests.Listener`."""
        self._path = None
        self._say(sentence, True)

    def on_cancelled(self) -> None:
        """See `worker.requests.Listener`."""
        self._path = None
        self._say("The prototypes were not saved: press Save prototypes again.", True)
