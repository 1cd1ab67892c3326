"""How scans reach the workers and results come back: through a folder that all see, or over the network."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import distributed

from DPLSegmentLib.cohort.orders import Orders
from DPLSegmentLib.cohort.scans import Job, Record
from DPLSegmentLib.cohort.task import packed, sees, segment_here, segment_sent, unpacked
from DPLSegmentLib.cohort.work import read_scan, write_files

_AHEAD = 2


class Delivery(Protocol):
    """`task` is called on a worker with the plugin's name and what `load` returns."""

    task: Callable[..., Any]

    def most(self, workers: int) -> int | None:
        """How many scans may be under way; None for any number."""
        ...

    def load(self, job: Job) -> tuple[Any, ...]:
        """What a worker gets; raises ImageError."""
        ...

    def accept(self, job: Job, result: Any) -> Record:
        """The record in what a worker returned; raises OSError or ImageError when its files cannot be written."""
        ...


class InPlace:
    """Workers read and write the files themselves."""

    task = staticmethod(segment_here)

    def most(self, workers: int) -> int | None:
        """A job is a few names: all of them may wait at the scheduler."""
        return None

    def load(self, job: Job) -> tuple[Any, ...]:
        """The job."""
        return (job,)

    def accept(self, job: Job, result: Record) -> Record:
        """As it came."""
        return result


class Sent:
    """Scans are read here and travel, results come back and are written: a laptop that uses another's workers."""

    task = staticmethod(segment_sent)

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def most(self, workers: int) -> int | None:
        """Two scans for each worker: memory stays bounded, and none has to wait."""
        return _AHEAD * max(workers, 1)

    def load(self, job: Job) -> tuple[Any, ...]:
        """The job and its scan."""
        return (job, packed(read_scan(job, self._orders.frame)))

    def accept(self, job: Job, result: Record | bytes) -> Record:
        """Write the files here, as a batch on this computer does."""
        return result if isinstance(result, Record) else write_files(job, self._orders, unpacked(result))


def delivery_for(client: distributed.Client, orders: Orders, jobs: Sequence[Job]) -> Delivery:
    """In place when every worker sees the output folder and the first scan, else sent."""
    token = orders.output / f".dpl-segment-{uuid.uuid4().hex}"
    token.touch()
    try:
        seen = client.run(sees, token, jobs[0].scan.path)
    finally:
        token.unlink()
    return InPlace() if all(seen.values()) else Sent(orders)
