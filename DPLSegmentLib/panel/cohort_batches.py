"""The process of the batch that runs, and of one that was stopped and ends what it is writing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from DPLSegmentLib.cohort.process import BatchProcess, BatchRequest
from DPLSegmentLib.cohort.scans import Record, State
from DPLSegmentLib.propagation.types import Progress
from DPLSegmentLib.worker.transport import Transport

_GRACE = 5.0


class Batches:
    """One at a time; nothing here waits. A stopped batch has five seconds to end by itself, then it is killed."""

    def __init__(self, start: Callable[[Sequence[str]], Transport], clock: Callable[[], float]) -> None:
        self._start = start
        self._clock = clock
        self._batch: BatchProcess | None = None
        self._stopped: float | None = None
        self._killed: list[BatchProcess] = []
        self._failures = False
        self._message = ""

    @property
    def running(self) -> bool:
        """Whether a batch runs that was not stopped."""
        return self._batch is not None and self._stopped is None

    @property
    def ended(self) -> bool:
        """Whether there is no process any more."""
        return self._batch is None

    @property
    def progress(self) -> tuple[str, Progress] | None:
        """See `BatchProcess.progress`."""
        return self._batch.progress if self._batch else None

    def begin(self, request: BatchRequest) -> None:
        """Start a batch; raises OSError when the process cannot be started."""
        self.kill()
        self._failures, self._message = False, ""
        self._batch = BatchProcess(self._start, request)

    @property
    def message(self) -> str:
        """Why the batch that has ended could not do its work; that scans failed is said in their records alone."""
        return "" if self._failures else self._message

    def poll(self) -> list[Record]:
        """New states of scans."""
        self._killed = [batch for batch in self._killed if batch.running]
        if self._batch is None:
            return []
        alive = self._batch.running
        records = self._batch.poll()
        self._failures |= any(record.state is State.FAILED for record in records)
        if not alive and not records:
            self._message = self._batch.message()
            self.kill()
        elif self._stopped is not None and self._clock() - self._stopped > _GRACE:
            self.kill()
        return records

    def stop(self) -> None:
        """Begin no further scan; what is being written is finished."""
        if self._batch is not None and self._stopped is None:
            self._batch.stop()
            self._stopped = self._clock()

    def kill(self) -> None:
        """End the process at once; nothing is half-written under a result's name even so."""
        if self._batch is not None:
            self._batch.kill()
            self._killed.append(self._batch)
        self._batch, self._stopped = None, None
