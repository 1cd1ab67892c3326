"""A whole batch: what is left to do is done, and what is known in the end is written down."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from DPLSegmentLib.cohort.finished import Verdict, finished_record, judge, split
from DPLSegmentLib.cohort.journal import LOG, Journal
from DPLSegmentLib.cohort.leftovers import remove_leftovers
from DPLSegmentLib.cohort.orders import Orders
from DPLSegmentLib.cohort.report import REPORT, counted, report
from DPLSegmentLib.cohort.runner import Runner, Stop
from DPLSegmentLib.cohort.scans import Job, Record, State
from DPLSegmentLib.cohort.summary import SUMMARY, summary
from DPLSegmentLib.images.atomic import atomic
from DPLSegmentLib.propagation.types import Progress


class Watcher(Protocol):
    """Told how a batch goes, one call at a time, from any thread."""

    def on_state(self, record: Record) -> None:
        """A scan has got a new state; its record is complete once the state is final."""
        ...

    def on_progress(self, progress: Progress) -> None:
        """How far the running scan is, where that is known."""
        ...


@dataclass(frozen=True, eq=False)
class Batch:
    """`overwrite` lets results of other prototypes be replaced; `only` are ids of the scans to begin, empty: all."""

    jobs: Sequence[Job]
    orders: Orders
    runner: Runner
    overwrite: bool = False
    only: frozenset[str] = frozenset()

    def run(self, watcher: Watcher, stop: Stop) -> list[Record]:
        """A record for every job, in their order; summary.csv, report.html and batch.log are in the output folder.

        They are written when the run is interrupted, too. Raises CohortError when the output folder holds results
        made with something else, or nothing can be done at all; OSError or ImageError when they cannot be written.
        """
        finished, left = split(self.jobs, self.orders, self.overwrite)
        left = [job for job in left if not self.only or job.scan.id in self.only]
        board = _Board(watcher, Journal(self.orders.output / LOG))
        board.on_note(f"{len(self.jobs)} scans, {len(finished)} finished before; {self._made_with()}")
        for record in finished:
            board.on_record(record)
        try:
            if left:
                self.runner.run(left, board, stop)
        finally:
            records = [self._outcome(job, board) for job in self.jobs]
            board.on_note(f"{counted(records)}.")
            self._write(records)
        return records

    def _outcome(self, job: Job, board: _Board) -> Record:
        """A worker may have written a scan that nobody waited for any more: then it is done."""
        record = board.record(job)
        if record.state is State.NOT_REACHED and judge(job, self.orders) is Verdict.FINISHED:
            return replace(finished_record(job, self.orders), state=State.DONE)
        return record

    def _write(self, records: Sequence[Record]) -> None:
        remove_leftovers(self.orders.output)
        _write_text(self.orders.output / SUMMARY, [summary(records)])
        _write_text(self.orders.output / REPORT, report(records, self.orders.output, self._made_with()))

    def _made_with(self) -> str:
        return f"Model {self.orders.model_id}, made with {self.orders.fingerprint[:12]}."


class _Board:
    """The newest record of each scan."""

    def __init__(self, watcher: Watcher, journal: Journal) -> None:
        self._watcher, self._journal = watcher, journal
        self._records: dict[str, Record] = {}
        self._lock = threading.Lock()

    def record(self, job: Job) -> Record:
        """A scan that was begun and not ended counts as not reached."""
        with self._lock:
            known = self._records.get(job.scan.id)
        return known if known and known.state is not State.RUNNING else Record(job.scan.id, State.NOT_REACHED)

    def on_started(self, scan: str, worker: str) -> None:
        with self._lock:
            if scan in self._records and self._records[scan].state is not State.RUNNING:
                return
            self._journal.started(scan, worker)
            self._put(Record(scan, State.RUNNING, worker=worker))

    def on_progress(self, progress: Progress) -> None:
        self._watcher.on_progress(progress)

    def on_record(self, record: Record) -> None:
        with self._lock:
            if record.state is not State.FINISHED_BEFORE:
                self._journal.record(record)
            self._put(record)

    def on_note(self, sentence: str) -> None:
        self._journal.note(sentence)

    def _put(self, record: Record) -> None:
        self._records[record.id] = record
        self._watcher.on_state(record)


def _write_text(path: Path, pieces: Sequence[str] | object) -> None:
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(pieces)
