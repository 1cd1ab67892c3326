"""What runs in a worker process of Dask: the model, loaded once, and a task for each scan."""

from __future__ import annotations

import os
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import distributed

from DPLSegmentLib.cohort.orders import Orders
from DPLSegmentLib.cohort.scans import Job, Record, failed
from DPLSegmentLib.cohort.work import ScanWork

Result = TypeVar("Result")

_FAST = 1


class EnginePlugin(distributed.WorkerPlugin):
    """Loads the model when it reaches a worker, and forgets it when the batch is over.

    `gpus` says how many graphics cards the workers of this computer share; on a cluster each worker sees its own.
    """

    def __init__(self, name: str, orders: Orders, gpus: int = 0) -> None:
        self.name = name
        self._packed = packed(orders)
        self._gpus = gpus
        self.work: ScanWork | None = None

    def setup(self, worker: distributed.Worker) -> None:
        """Called in the worker's own process; what it raises reaches the one who started the batch."""
        if self._gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = str(int(worker.name) % self._gpus)
        from DPLSegmentLib.cohort.segmenter import load_segmenter

        self.work = ScanWork(unpacked(self._packed), load_segmenter)

    def teardown(self, worker: distributed.Worker) -> None:
        """The batch is over."""
        self.work = None


def segment_here(plugin: str, job: Job) -> Record:
    """A scan whose file and output folder this worker sees."""
    return _told(plugin, job, lambda work, address: work.do(job, address))


def segment_sent(plugin: str, job: Job, scan: bytes) -> Record | bytes:
    """A scan that comes over the network, `packed`; what is to be written goes back so, or the record of a failure."""
    return _told(plugin, job, lambda work, address: packed(work.segment(unpacked(scan), address)))


def sees(output: Path, scan: Path) -> bool:
    """Whether this worker sees a file in the output folder and a scan."""
    return output.exists() and scan.exists()


def packed(content: Any) -> bytes:
    """Orders or a scan, small enough to travel: masks are mostly empty."""
    return zlib.compress(pickle.dumps(content, protocol=5), _FAST)


def unpacked(content: bytes) -> Any:
    """What `packed` made. Only for what came through the scheduler: whoever reaches that can run anything anyway."""
    return pickle.loads(zlib.decompress(content))


def _told(plugin: str, job: Job, do: Callable[[ScanWork, str], Result]) -> Result | Record:
    """Say that the scan is at work, do it, and make a record of what goes wrong."""
    worker = distributed.get_worker()
    worker.log_event(plugin, {"scan": job.scan.id, "worker": worker.address})
    work = worker.plugins[plugin].work
    try:
        return do(work, worker.address)
    except Exception as error:
        return failed(job, work.orders.tools.sentence(error), worker.address)
