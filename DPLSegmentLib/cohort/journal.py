"""The log of a batch: a line for everything that happens, with ids and no names."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from DPLSegmentLib.cohort.scans import Record, State

LOG = "batch.log"


class Journal:
    """Adds lines to a file; a disk that takes no more does not stop the batch."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, sentence: str) -> None:
        """A line with the time before it."""
        with suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {' '.join(sentence.split())}\n")

    def started(self, scan: str, worker: str) -> None:
        """A scan is at work."""
        self.note(f"{scan}: at work{f' on {worker}' if worker else ''}")

    def record(self, record: Record) -> None:
        """What came of a scan."""
        if record.state is State.DONE:
            found = ", ".join(f"{each.name} {each.millilitres:.1f} mL" for each in record.structures)
            self.note(
                f"{record.id}: done in {record.seconds:.1f} s{f' on {record.worker}' if record.worker else ''}; {found}"
            )
        else:
            self.note(f"{record.id}: {record.state.value}{f'; {record.why}' if record.why else ''}")
