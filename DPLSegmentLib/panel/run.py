"""One run: painted slices to one scan after the other. The panel and `process` run the same."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.panel.timeleft import TimeLeft
from DPLSegmentLib.propagation.types import Progress, Propagation, SliceResult, StructureReport
from DPLSegmentLib.scene.editor import EditorSeam
from DPLSegmentLib.scene.errors import SceneError
from DPLSegmentLib.scene.preview import Preview
from DPLSegmentLib.worker.client import Worker
from DPLSegmentLib.worker.job import Job
from DPLSegmentLib.worker.requests import PaintedScan, PropagateRequest, Scan

_PREVIEW_SECONDS = 0.015


class Target(Protocol):
    """A scan to segment and where its result goes; raises SceneError when its node has left the scene.

    `own`: it is the scan that was painted on.
    """

    name: str
    own: bool
    preview: Preview | None

    @property
    def alive(self) -> bool:
        """Whether its result is still there."""
        ...

    def scan(self) -> Scan:
        """Its voxels."""
        ...

    def begin(self) -> None:
        """Make room for a preview."""
        ...

    def add_slice(self, result: SliceResult) -> None:
        """Preview one slice."""
        ...

    def finishing(self, result: Propagation) -> Iterator[None]:
        """Take the whole result in, in steps of some ten milliseconds."""
        ...

    def remove(self) -> None:
        """Leave the scene as it was before `begin`."""
        ...

    def keep(self, segmentation: Any | None, editor: EditorSeam) -> Any:
        """Make the result a lasting part of the scene and return its node; `segmentation` is the painted one."""
        ...

    def discard(self) -> None:
        """Give the result up."""
        ...


@dataclass(frozen=True, eq=False)
class RunPlan:
    """What is looked for, by painted scans or a file of prototypes, and where.

    `ranges` hold for each target the first and last slice along the painted plane, or None.
    """

    supports: tuple[PaintedScan, ...]
    targets: tuple[Target, ...]
    ranges: tuple[tuple[int, int] | None, ...]
    prototypes: Path | None = None


@dataclass(frozen=True, eq=False)
class ScanResult:
    """What is said of a segmented scan; the voxels are in its target."""

    target: Target
    structures: Sequence[StructureReport]
    axis: int
    next_slice: int | None
    device: str
    seconds: float


class RunState(Enum):
    """`DONE` also when some of the scans failed."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(eq=False)
class Outcome:
    """Results in the order of the scans, and a sentence for each scan that failed."""

    results: list[ScanResult] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


class Run:
    """Started at once; goes on in `Worker.poll` and `tick`. A scan that fails does not stop the others."""

    def __init__(self, worker: Worker, plan: RunPlan, clock: Callable[[], float]) -> None:
        self.plan = plan
        self.outcome = Outcome()
        self.state = RunState.RUNNING
        self.time_left = TimeLeft(len(plan.targets), clock)
        self._worker = worker
        self._clock = clock
        self._job: Job | None = None
        self._number = -1
        self._slices: deque[SliceResult] = deque()
        self._result: tuple[Propagation, Iterator[None]] | None = None
        self._next()

    @property
    def running(self) -> bool:
        """True until all is done or cancelled."""
        return self.state is RunState.RUNNING

    @property
    def target(self) -> Target:
        """The scan it is at."""
        return self.plan.targets[self._number]

    def cancel(self) -> None:
        """Stop; what was finished before stays. Returns at once."""
        if not self.running:
            return
        self.state, self._result = RunState.CANCELLED, None
        self._slices.clear()
        if self._job is not None:
            self._worker.cancel(self._job)
        self._drop(self.target)

    def tick(self) -> None:
        """Preview slices that have come, for 15 ms at most, or go on with what is finished."""
        if self._result is not None:
            self._step(*self._result)
            return
        until = self._clock() + _PREVIEW_SECONDS
        while self._slices and self._clock() < until:
            try:
                self.target.add_slice(self._slices.popleft())
            except SceneError as error:
                self._give_up(str(error))

    def listens(self, number: int) -> bool:
        """Whether what the worker says of this scan still matters."""
        return self.running and number == self._number

    def keep_slice(self, result: SliceResult) -> None:
        """A slice to preview at the next tick."""
        self._slices.append(result)

    def finish(self, result: Propagation) -> None:
        """The scan is segmented."""
        self._slices.clear()
        self._result = (result, self.target.finishing(result))

    def _step(self, result: Propagation, steps: Iterator[None]) -> None:
        try:
            next(steps)
            return
        except StopIteration:
            self._result = None
        except SceneError as error:
            self._result = None
            self.fail(str(error))
            return
        seconds = sum(result.seconds.values())
        facts = (result.structures, result.axis, result.next_slice, result.device, seconds)
        self.outcome.results.append(ScanResult(self.target, *facts))
        self._next()

    def fail(self, sentence: str) -> None:
        """The scan cannot be segmented; go on with the next."""
        self._slices.clear()
        self.outcome.failures[self.target.name] = sentence
        self._drop(self.target)
        self._next()

    def stopped(self) -> None:
        """The worker was stopped by somebody else."""
        self.state = RunState.CANCELLED
        self._drop(self.target)

    def _next(self) -> None:
        """Begin with the next scan; those that cannot even begin are passed over."""
        while self._number + 1 < len(self.plan.targets):
            self._number += 1
            self.time_left.begin_scan(self._number)
            try:
                self._begin()
                return
            except (SceneError, ImageError, OSError, MemoryError) as error:
                self.outcome.failures[self.target.name] = str(error) or f"{self.target.name} does not fit into memory."
                self._drop(self.target)
        self.state = RunState.DONE

    def _begin(self) -> None:
        plan, query = self.plan, self.target.scan()
        self.target.begin()
        wanted = PropagateRequest(plan.supports, query, plan.ranges[self._number], plan.prototypes)
        self._job = self._worker.propagate(wanted, _Ear(self, self._number))

    def _give_up(self, sentence: str) -> None:
        """The scan's node has gone in mid-run: what the worker still says of it is not heard."""
        if self._job is not None:
            self._worker.cancel(self._job)
        self.fail(sentence)

    def _drop(self, target: Target) -> None:
        with suppress(SceneError):
            target.remove()


class _Ear:
    """Hears the worker about one scan; see `worker.requests.Listener`."""

    def __init__(self, run: Run, number: int) -> None:
        self._run = run
        self._number = number

    @property
    def _listens(self) -> bool:
        return self._run.listens(self._number)

    def on_progress(self, progress: Progress) -> None:
        if self._listens:
            self._run.time_left.update(progress)

    def on_slice(self, result: SliceResult) -> None:
        if self._listens:
            self._run.keep_slice(result)

    def on_done(self, result: Propagation | None) -> None:
        if self._listens and result is not None:
            self._run.finish(result)

    def on_failed(self, sentence: str) -> None:
        if self._listens:
            self._run.fail(sentence)

    def on_cancelled(self) -> None:
        if self._listens:
            self._run.stopped()
