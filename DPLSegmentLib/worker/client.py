"""The worker as Slicer's process sees it: ask, poll, and be told. Nothing here waits, and nothing runs in a thread."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

from DPLSegmentLib.worker import hearing, protocol
from DPLSegmentLib.worker.blocks import remove_stale_blocks
from DPLSegmentLib.worker.job import Job
from DPLSegmentLib.worker.kept import KeptScans
from DPLSegmentLib.worker.link import Link
from DPLSegmentLib.worker.memory import scan_bytes
from DPLSegmentLib.worker.reasons import Reason
from DPLSegmentLib.worker.requests import (
    EmbedTask,
    Failure,
    Listener,
    PaintedScan,
    PropagateRequest,
    PropagateTask,
    SaveTask,
    Scan,
    Task,
    WorkerInfo,
    WorkerOptions,
)
from DPLSegmentLib.worker.retired import Retired
from DPLSegmentLib.worker.sentences import ended_sentence, no_shared_memory, start_sentence
from DPLSegmentLib.worker.transport import Transport

__all__ = [
    "Failure",
    "Job",
    "Listener",
    "PaintedScan",
    "PropagateRequest",
    "Reason",
    "Scan",
    "Worker",
    "WorkerInfo",
    "WorkerOptions",
]

_BUDGET = 0.010
_PATIENCE = 0.8
_PATIENCE_IN_BACKGROUND = 5.0  # nobody waits for the answer, and a new process costs seconds
_LOG_LINES = 400


class Worker:
    """A process that is started when it is needed and lives until `stop`; requests are done one after the other.

    Listeners are called from within `poll` and `stop` only. `info` is there once the model is loaded, `failure` when
    the process could not be started or ended by itself; the next request starts a new one.
    """

    def __init__(
        self, make_transport: Callable[[WorkerOptions], Transport], options: WorkerOptions | None = None
    ) -> None:
        self.options = options or WorkerOptions()
        self.info: WorkerInfo | None = None
        self.failure: Failure | None = None
        self._make_transport = make_transport
        self._link: Link | None = None
        self._retired = Retired()
        self._jobs: list[Job] = []
        self._numbers = itertools.count(1)
        self._kept = KeptScans(scan_bytes(self.options.memory_limit_mib))
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        remove_stale_blocks()

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._link is not None and self._link.transport.exit_code is None

    @property
    def idle(self) -> bool:
        """Whether nothing is asked for."""
        return not self._jobs

    @property
    def state(self) -> str:
        """For the status line: what the worker is about, or why there is none."""
        if self._link and not self.info:
            return "Starting the worker"
        if self._link and self.info:
            return f"{'Ready' if self.idle else 'Working'} on {self.info.device}"
        return self.failure.sentence if self.failure else "The worker is not running"

    @property
    def missing_torch(self) -> bool:
        """Whether the worker did not start because PyTorch is missing or broken: it can be offered to be installed."""
        return self.failure is not None and self.failure.reason is Reason.TORCH

    def start(self) -> None:
        """Start the process; does nothing when it runs. Returns at once; `info` or `failure` tell how it went."""
        if self._link:
            return
        self.info = self.failure = None
        try:
            self._link = Link(self._make_transport(self.options), self._log)
        except OSError as error:
            self.failure = Failure(Reason.PYTHON, start_sentence(error))

    def restart(self, options: WorkerOptions) -> None:
        """Go on with other options; what was asked for is cancelled. Returns at once."""
        self._leave(kill=False)
        self._end_all(hearing.cancelled)
        self.options = options
        self._kept.limit = scan_bytes(options.memory_limit_mib)
        self.start()

    def embed(self, scan: Scan, listener: Listener) -> Job:
        """Embed a scan ahead of time; gives way to a request for other scans."""
        return self._ask(EmbedTask(scan), listener)

    def propagate(self, request: PropagateRequest, listener: Listener) -> Job:
        """Segment a scan. Embeddings of scans that are not part of the request are cancelled."""
        return self._ask_first(PropagateTask(request), listener)

    def save_prototypes(self, supports: Sequence[PaintedScan], path: Path, listener: Listener) -> Job:
        """Write the prototypes of painted scans to a file."""
        return self._ask_first(SaveTask(tuple(supports), path), listener)

    def cancel(self, job: Job) -> None:
        """Stop a job; returns at once. A process that does not stop within 0.8 s is killed."""
        self._cancel(job, _PATIENCE)

    def poll(self) -> None:
        """Hear the process and tell the listeners, go on with what is asked for; takes about 10 ms at most."""
        until = monotonic() + _BUDGET
        self._retired.collect()
        self._listen(until)
        self._see_to_cancelled()
        self._advance(until)

    def stop(self) -> None:
        """End the process, within 1 s, and release all blocks; what is asked for is cancelled. May be called twice."""
        self._leave(kill=False)
        self._end_all(hearing.cancelled)
        self._retired.wait()

    def log(self) -> str:
        """The last lines that the process wrote on its error stream."""
        return "\n".join(self._log)

    def _ask(self, task: Task, listener: Listener) -> Job:
        job = Job(next(self._numbers), task, listener)
        self._jobs.append(job)
        self.start()
        return job

    def _ask_first(self, task: Task, listener: Listener) -> Job:
        wanted = {scan.key for scan in task.scans}
        for job in self._jobs:
            if isinstance(job.task, EmbedTask) and job.task.scan.key not in wanted:
                self._cancel(job, _PATIENCE_IN_BACKGROUND)
        return self._ask(task, listener)

    def _cancel(self, job: Job, patience: float) -> None:
        if job.sent and not (job.ended or job.cancelling):
            self._tell(protocol.Cancel(job.number))
        job.cancelling, job.overdue = True, min(job.overdue, monotonic() + patience)

    def _listen(self, until: float) -> None:
        while self._link:
            link = self._link
            message = link.receive()
            link.read_log()
            if message is not None:
                self._hear(message)
            elif link.over:
                self._fail(Failure(Reason.ENDED, ended_sentence(link.transport.exit_code, self.info is not None)))
            if message is None or monotonic() > until:
                return

    def _hear(self, message: protocol.FromWorker) -> None:
        if isinstance(message, protocol.Hello | protocol.Refused):
            answer = hearing.answer_of(message)
            if isinstance(answer, Failure):
                return self._fail(answer)
            self.info = answer
            return None
        job = self._jobs[0] if self._jobs else None
        if job is not None and job.sent and job.number == message.job:
            self._hear_of(job, message)
        return None

    def _hear_of(self, job: Job, message: hearing.OfJob) -> None:
        if isinstance(message, protocol.Done | protocol.Failed | protocol.Stopped):
            if isinstance(message, protocol.Failed):
                self._tell(*(protocol.Drop(key) for key in self._kept.forget(job.task.scans)))
            return self._end(job, hearing.ending(job, message))
        if job.cancelling:
            return None
        if not isinstance(message, protocol.Finished):
            return hearing.pass_on(job.listener, message)
        try:
            return self._tell(job.room(message))
        except OSError as error:
            self._tell(protocol.Cancel(job.number))
            return self._end(job, hearing.failing(no_shared_memory(error)))

    def _tell(self, *messages: protocol.FromClient) -> None:
        for message in messages if self._link else ():
            self._link.send(message)

    def _see_to_cancelled(self) -> None:
        now = monotonic()
        for job in [job for job in self._jobs if job.cancelling]:
            if job.sent and now > job.overdue:
                self._leave(kill=True)
            if not job.sent or now > job.overdue:
                self._end(job, hearing.cancelled)

    def _advance(self, until: float) -> None:
        """Copy for the next job while one runs; send it when nothing else does."""
        waiting = next((job for job in self._jobs if not job.sent), None)
        if waiting is None:
            return
        self.start()
        if self.failure:
            return self._fail(self.failure)
        try:
            ready = waiting.prepare(self._kept, until)
        except OSError as error:
            return self._end(waiting, hearing.failing(no_shared_memory(error)))
        if ready and self.info and waiting is self._jobs[0]:
            self._send(waiting)
        return None

    def _send(self, job: Job) -> None:
        messages = job.messages(self._kept)
        self._tell(*messages, *(protocol.Drop(key) for key in self._kept.use(job.task.scans)))
        job.sent = True

    def _end(self, job: Job, tell: Callable[[Job], None]) -> None:
        if job.ended:
            return
        self._jobs.remove(job)
        try:
            tell(job)
        finally:
            job.release()

    def _end_all(self, tell: Callable[[Job], None]) -> None:
        for job in list(self._jobs):
            self._end(job, tell)

    def _fail(self, failure: Failure) -> None:
        self._leave(kill=True)
        self.failure = failure
        self._end_all(lambda job: (hearing.cancelled if job.cancelling else hearing.failing(failure.sentence))(job))

    def _leave(self, kill: bool) -> None:
        """Have nothing to do with the process any more."""
        if self._link:
            self._link.read_log()
            self._retired.add(self._link.transport, kill)
        self._link = self.info = None
        self._kept.clear()
