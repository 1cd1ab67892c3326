"""Embeds the chosen scan ahead of time, so that the first result comes at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from DPLSegmentLib.panel.quiet import Quiet
from DPLSegmentLib.panel.targets import Scans
from DPLSegmentLib.propagation.types import Propagation
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.nodes import present
from DPLSegmentLib.worker.client import Job, Worker

_SETTLED = 0.5


class Background(Quiet):
    """Waits half a second after a scan was chosen; what goes wrong here is said when the user propagates."""

    def __init__(self, worker: Worker, scans: Scans, clock: Callable[[], float]) -> None:
        self._worker = worker
        self._scans = scans
        self._clock = clock
        self._node: Any | None = None
        self._since = 0.0
        self._job: Job | None = None

    @property
    def waiting(self) -> bool:
        """Whether a scan is wanted that was not begun yet."""
        return self._node is not None

    @property
    def busy(self) -> bool:
        """Whether a scan is being embedded, or soon will be."""
        return self._job is not None or self._node is not None

    def want(self, node: Any | None) -> None:
        """This scan is next; the one before is given up."""
        self.stop()
        self._node, self._since = node, self._clock()

    def stop(self) -> None:
        """Nothing is wanted any more."""
        self._node = None
        if self._job is not None:
            self._worker.cancel(self._job)
        self._job = None

    def tick(self) -> None:
        """Begin when it is time."""
        if self._node is None or self._clock() - self._since < _SETTLED or not self._worker.idle:
            return
        node, self._node = self._node, None
        if not present(node):
            return
        try:
            scan = self._scans.scan(node)
        except SceneError:
            return
        self._job = self._worker.embed(scan, self)

    def on_done(self, result: Propagation | None) -> None:
        """See `worker.requests.Listener`."""
        self._job = None

    def on_failed(self, sentence: str) -> None:
        """See `worker.requests.Listener`."""
        self._job = None

    def on_cancelled(self) -> None:
        """See `worker.requests.Listener`."""
        self._job = None
