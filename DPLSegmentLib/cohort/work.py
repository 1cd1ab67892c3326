"""One scan from file to files: the same steps on this computer, in a worker process and on a cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from DPLSegmentLib.cohort.orders import Orders
from DPLSegmentLib.cohort.scans import Job, Record, State
from DPLSegmentLib.cohort.segmenter import Segmenter
from DPLSegmentLib.cohort.thumbnail import thumbnail, write_thumbnail
from DPLSegmentLib.images.dicom_seg import check_dicom_seg
from DPLSegmentLib.images.errors import ImageError
from DPLSegmentLib.images.reading import read_volume
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import Propagation


@dataclass(frozen=True, eq=False)
class Read:
    """A scan in memory and the seconds that took."""

    volume: Volume
    seconds: float


@dataclass(frozen=True, eq=False)
class Segmented:
    """A result, a PNG of it, and the seconds of what was done outside the engine; all that is to be written."""

    result: Propagation
    picture: bytes
    seconds: Mapping[str, float]
    worker: str = ""


class ScanWork:
    """Reads, segments and writes scans. `read_scan` and `write_files` may run in other threads than `segment`."""

    def __init__(self, orders: Orders, load: Callable[[Orders], Segmenter]) -> None:
        """Loads the model; raises what `load_segmenter` raises."""
        start = time.perf_counter()
        self.orders = orders
        self.segmenter = load(orders)
        self.load_seconds = time.perf_counter() - start

    def do(self, job: Job, worker: str = "") -> Record:
        """All of it in this thread; raises what any of it raises, and then nothing was written."""
        return write_files(job, self.orders, self.segment(read_scan(job, self.orders.frame), worker))

    def segment(self, read: Read, worker: str = "") -> Segmented:
        """A scan that was read here or elsewhere; raises PropagationError."""
        return self.finished(read, self.segmenter.propagate(read.volume), worker)

    def finished(self, read: Read, result: Propagation, worker: str = "") -> Segmented:
        """What is to be written of a result."""
        seconds = {"load": self.load_seconds, "read": read.seconds}
        return Segmented(result, thumbnail(read.volume, result), seconds, worker)


def read_scan(job: Job, frame: int | None) -> Read:
    """Raises ImageError when it is no scan that can be worked with, or none that the wanted format can refer to."""
    start = time.perf_counter()
    if job.names.segmentation.endswith(".dcm"):
        check_dicom_seg(job.scan.path)
    volume = read_volume(job.scan.path, frame, job.scan.series)
    return Read(volume, time.perf_counter() - start)


def write_files(job: Job, orders: Orders, segmented: Segmented) -> Record:
    """Write a result's files into the output folder; its JSON file comes last and says that it is whole."""
    (orders.output / job.names.report).unlink(missing_ok=True)
    with suppress(OSError, ImageError):
        write_thumbnail(orders.output, job.scan.id, segmented.picture)
    report = orders.tools.write(segmented.result, orders.output, job.names, orders.facts(job), segmented.seconds)
    return Record.from_report(job.scan.id, State.DONE, report, segmented.worker)
