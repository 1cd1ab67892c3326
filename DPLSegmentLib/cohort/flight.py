"""The scans of a batch between being handed to Dask and having a record."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import distributed
from distributed.scheduler import KilledWorker

from DPLSegmentLib.cohort.delivery import Delivery
from DPLSegmentLib.cohort.errors import CohortError
from DPLSegmentLib.cohort.finished import Verdict, finished_record, judge
from DPLSegmentLib.cohort.runner import Listener, Stop
from DPLSegmentLib.cohort.scans import Job, Record, State, failed

if TYPE_CHECKING:
    from DPLSegmentLib.cohort.on_cluster import Crew

# What Dask raises when there is no connection to the scheduler any more.
_LOST = (CancelledError, TimeoutError, OSError, distributed.client.ClosedClientError)
_LOOK = 0.05
_CHECK = 2.0
_KILLED = (
    "Every worker process that began it ended in the middle, probably for lack of memory: "
    "give the workers more memory, or crop the scan."
)


@dataclass(frozen=True)
class _Attempt:
    job: Job
    failed_on: str = ""
    alone: bool = False


class Flight:
    """Keeps the workers supplied and settles what comes back."""

    def __init__(self, crew: Crew, delivery: Delivery, listener: Listener, stop: Stop) -> None:
        self._crew, self._delivery, self._listener, self._stop = crew, delivery, listener, stop
        self._waiting: deque[_Attempt] = deque()
        self._suspects: deque[_Attempt] = deque()
        self._under_way: dict[distributed.Future, _Attempt] = {}
        self._numbers = itertools.count()
        self._seen_workers = self._checked = time.monotonic()
        self._most: int | None = 1

    def fly(self, jobs: Sequence[Job]) -> None:
        """Until every job has a record or `stop` is set; then nothing further is begun."""
        self._waiting.extend(map(_Attempt, jobs))
        self._most = self._delivery.most(len(self._addresses()))
        try:
            while (self._waiting or self._under_way or self._suspects) and not self._stop.cancelled():
                self._turn()
        except CohortError as error:
            self._give_up(error)
        finally:
            self._call_off()

    def _turn(self) -> None:
        if self._suspects and not self._waiting and not self._under_way:
            self._waiting.append(self._suspects.popleft())
        try:
            self._submit()
        except _LOST:
            return self._begin_again([])
        done = [future for future in self._under_way if future.done()]
        lost = [attempt for future in done if (attempt := self._settled(future, self._under_way.pop(future)))]
        if lost:
            self._begin_again(lost)
        if not done:
            self._stop.wait(_LOOK)
            self._check_workers()

    def _submit(self) -> None:
        while (
            self._waiting and (self._most is None or len(self._under_way) < self._most) and not self._stop.cancelled()
        ):
            attempt = self._waiting.popleft()
            try:
                given = self._delivery.load(attempt.job)
            except Exception as error:
                self._fail(attempt.job, error)
                continue
            try:
                self._under_way[self._future(attempt, given)] = attempt
            except _LOST:
                self._waiting.appendleft(attempt)
                raise

    def _future(self, attempt: _Attempt, given: tuple) -> distributed.Future:
        others = (
            [address for address in self._addresses() if address != attempt.failed_on] if attempt.failed_on else None
        )
        return self._crew.client.submit(
            self._delivery.task,
            self._crew.name,
            *given,
            key=f"segment-{self._crew.name[-8:]}{next(self._numbers)}-{attempt.job.scan.id}",
            pure=False,
            resources=self._crew.resources,
            workers=others or None,
            allow_other_workers=bool(others),
        )

    def _settled(self, future: distributed.Future, attempt: _Attempt) -> _Attempt | None:
        """Make a record of what a task returned; an attempt that nothing came back from is handed back."""
        try:
            returned = future.result()
        except _LOST:
            return attempt
        except KilledWorker:
            self._suspect(attempt)
        except Exception as error:
            self._fail(attempt.job, error)
        else:
            self._accept(attempt, returned)
        return None

    def _accept(self, attempt: _Attempt, returned: Any) -> None:
        try:
            record = self._delivery.accept(attempt.job, returned)
        except Exception as error:
            self._fail(attempt.job, error)
        else:
            self._judge(attempt, record)

    def _suspect(self, attempt: _Attempt) -> None:
        """Dask blames every scan that waited on a worker that died: in the end each is tried again, alone."""
        if attempt.alone:
            self._listener.on_record(failed(attempt.job, _KILLED))
        else:
            self._listener.on_note(f"The workers of {attempt.job.scan.id} died; it is begun again after the others.")
            self._suspects.append(replace(attempt, alone=True))

    def _judge(self, attempt: _Attempt, record: Record) -> None:
        """A scan that failed is tried once more, where there is another worker for that."""
        elsewhere = set(self._addresses()) - {record.worker}
        if record.state is State.FAILED and not attempt.failed_on and elsewhere:
            self._listener.on_note(f"{record.id} failed on {record.worker} and goes to another worker: {record.why}")
            self._waiting.append(replace(attempt, failed_on=record.worker))
        else:
            self._listener.on_record(record)

    def _begin_again(self, lost: Iterable[_Attempt]) -> None:
        """The scheduler was lost, and with it every scan under way; what was written all the same is kept."""
        attempts = [*lost, *self._under_way.values()]
        self._under_way.clear()
        self._waiting.extendleft(reversed(attempts))
        self._listener.on_note(f"The scheduler was lost; {len(attempts)} scans are begun again.")
        self._crew.brief_again()
        self._listener.on_note("The scheduler is back.")
        self._waiting = deque(attempt for attempt in self._waiting if not self._was_finished(attempt.job))
        self._seen_workers = time.monotonic()

    def _was_finished(self, job: Job) -> bool:
        if judge(job, self._crew.orders) is not Verdict.FINISHED:
            return False
        self._listener.on_record(replace(finished_record(job, self._crew.orders), state=State.DONE))
        return True

    def _check_workers(self) -> None:
        """Raise CohortError when there has been no worker for too long; learn how many there are."""
        now = time.monotonic()
        if now - self._checked < _CHECK:
            return
        self._checked = now
        count = len(self._addresses())
        self._most = self._delivery.most(count)
        if count:
            self._seen_workers = now
        elif now - self._seen_workers > self._crew.patience:
            raise CohortError("All workers have gone: start some and begin again, what is finished is kept.")

    def _addresses(self) -> list[str]:
        """None while the scheduler cannot be asked."""
        with suppress(Exception):
            return self._crew.addresses()
        return []

    def _fail(self, job: Job, error: Exception) -> None:
        self._listener.on_record(failed(job, self._crew.orders.tools.sentence(error)))

    def _give_up(self, error: CohortError) -> None:
        for attempt in (*self._under_way.values(), *self._waiting, *self._suspects):
            self._listener.on_record(failed(attempt.job, str(error)))
        for attempts in (self._under_way, self._waiting, self._suspects):
            attempts.clear()

    def _call_off(self) -> None:
        """Scans that have not begun are taken back; one that runs on a cluster is written by its worker."""
        if self._under_way:
            with suppress(Exception):
                self._crew.client.cancel(list(self._under_way), force=False)
