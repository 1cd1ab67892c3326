"""A scan of a batch, and how it stands with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from DPLSegmentLib.images.reading import stem
from DPLSegmentLib.propagation.types import StructureReport


class State(StrEnum):
    """How a scan stands; the last four are final for a run."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FINISHED_BEFORE = "finished before"
    FAILED = "failed"
    NOT_REACHED = "not reached"


class ResultNames(Protocol):
    """Names of the three files of a result inside the output folder."""

    segmentation: str
    confidence: str
    report: str


@dataclass(frozen=True)
class CohortScan:
    """A scan to segment: `id` is what logs, reports and file names call it; `series` picks one of a DICOM folder."""

    id: str
    path: Path
    series: str | None = None

    def anonymous(self, said: str) -> str:
        """A sentence with the scan's id wherever it had its path or file name."""
        for name in (str(self.path.absolute()), str(self.path), self.path.name, stem(self.path)):
            if name not in self.id:
                said = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", lambda _: self.id, said)
        return said


@dataclass(frozen=True)
class Job:
    """A scan and the names of its files."""

    scan: CohortScan
    names: ResultNames


@dataclass(frozen=True)
class Record:
    """What came of a scan: `seconds` of work, a report per structure, and `why` it failed, a sentence without names."""

    id: str
    state: State
    seconds: float | None = None
    structures: tuple[StructureReport, ...] = ()
    next_slice: int | None = None
    why: str = ""
    worker: str = ""

    @property
    def confidence(self) -> float:
        """That of the least certain structure, 0..1; -1 when there is no result, so that it comes first."""
        return min((structure.confidence for structure in self.structures), default=-1.0)

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"state": self.state.value}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Record:
        """What `document` made. Raises KeyError, TypeError or ValueError for anything else."""
        structures = tuple(StructureReport(**structure) for structure in document["structures"])
        return cls(**{**document, "state": State(document["state"]), "structures": structures})

    @classmethod
    def from_report(cls, scan: str, state: State, report: Mapping[str, Any], worker: str = "") -> Record:
        """From the JSON file of a result. Raises KeyError, TypeError or AttributeError when it is none."""
        keys = ("name", "millilitres", "confidence", "next_slice")
        structures = tuple(StructureReport(*(each[key] for key in keys)) for each in report["structures"])
        seconds = sum(taken for stage, taken in report["seconds"].items() if stage != "load")
        return cls(scan, state, round(seconds, 3), structures, report["next_slice"], worker=worker)


def failed(job: Job, sentence: str, worker: str = "") -> Record:
    """The record of a scan that could not be segmented."""
    return Record(job.scan.id, State.FAILED, why=job.scan.anonymous(sentence), worker=worker)
