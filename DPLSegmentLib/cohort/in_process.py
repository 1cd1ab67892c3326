"""A batch in this process: the next scan is read and the last one written while one is segmented."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from DPLSegmentLib.cohort.runner import Listener, Stop
from DPLSegmentLib.cohort.scans import Job, Record, failed
from DPLSegmentLib.cohort.work import Read, ScanWork, read_scan, write_files
from DPLSegmentLib.propagation.types import Cancelled, Propagation


class InProcess:
    """Three scans are in memory at most: one read ahead, one at work, one being written."""

    def __init__(self, load: Callable[[], ScanWork]) -> None:
        """`load` loads the model, when there is anything to do."""
        self._load = load

    def run(self, jobs: Sequence[Job], listener: Listener, stop: Stop) -> None:
        """Do the jobs in their order. When the block is left early, by Ctrl-C too, the running write is finished."""
        work = self._load()
        with ThreadPoolExecutor(1, "reader") as reader, ThreadPoolExecutor(1, "writer") as writer:
            written: Future[None] | None = None
            for job, reading in _read_ahead(reader, jobs, work.orders.frame):
                if stop.cancelled():
                    break
                listener.on_started(job.scan.id, "")
                segmented = _Scan(job, work, listener, stop).segment(reading)
                if written:
                    written.result()
                written = writer.submit(segmented)


class _Scan:
    """One scan on its way."""

    def __init__(self, job: Job, work: ScanWork, listener: Listener, stop: Stop) -> None:
        self._job, self._work, self._listener, self._stop = job, work, listener, stop

    def segment(self, reading: Future[Read]) -> Callable[[], None]:
        """Segment it; returns what is left to do: writing it, or telling that it failed."""
        try:
            read = reading.result()
            result = self._work.segmenter.propagate(read.volume, self._listener.on_progress, self._stop)
        except Cancelled:
            return lambda: None
        except Exception as error:
            record = self._failed(error)
            return lambda: self._listener.on_record(record)
        return lambda: self._listener.on_record(self._written(read, result))

    def _written(self, read: Read, result: Propagation) -> Record:
        try:
            return write_files(self._job, self._work.orders, self._work.finished(read, result))
        except Exception as error:
            return self._failed(error)

    def _failed(self, error: Exception) -> Record:
        return failed(self._job, self._work.orders.tools.sentence(error))


def _read_ahead(
    reader: ThreadPoolExecutor, jobs: Sequence[Job], frame: int | None
) -> Iterator[tuple[Job, Future[Read]]]:
    """Each job with its reading, which began when the one before was handed out."""
    readings: list[Future[Read]] = []
    for number, job in enumerate(jobs):
        reading = readings.pop() if readings else reader.submit(read_scan, job, frame)
        readings += [reader.submit(read_scan, following, frame) for following in jobs[number + 1 : number + 2]]
        yield job, reading
        del reading
