"""What an earlier run left in the output folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from DPLSegmentLib.cohort.errors import CohortError
from DPLSegmentLib.cohort.orders import Orders, stamp
from DPLSegmentLib.cohort.scans import Job, Record, State

_NAMED = 3


class Verdict(Enum):
    """Finished: skip it. To do: there is nothing, or less than everything. Foreign: made with something else."""

    FINISHED = "finished"
    TO_DO = "to do"
    FOREIGN = "foreign"


def split(jobs: Sequence[Job], orders: Orders, overwrite: bool) -> tuple[list[Record], list[Job]]:
    """Records of the scans that are finished, and the jobs that are left.

    Raises CohortError when a result was made with other prototypes, another model or of another scan and `overwrite`
    is off.
    """
    verdicts = [(job, judge(job, orders)) for job in jobs]
    foreign = [job for job, verdict in verdicts if verdict is Verdict.FOREIGN]
    if foreign and not overwrite:
        raise _refusal(foreign, orders.output)
    records = [finished_record(job, orders) for job, verdict in verdicts if verdict is Verdict.FINISHED]
    return records, [job for job, verdict in verdicts if verdict is not Verdict.FINISHED]


def judge(job: Job, orders: Orders) -> Verdict:
    """What is there of a scan's result. A scan whose file has changed since is to be done again."""
    report = _report(orders.output / job.names.report)
    if report is None:
        return Verdict.TO_DO
    made_with = report.get("batch")
    if not isinstance(made_with, dict) or made_with.get("fingerprint") != orders.fingerprint:
        return Verdict.FOREIGN
    if Path(str(report.get("query"))).resolve() != job.scan.path.resolve():
        return Verdict.FOREIGN
    whole = all((orders.output / name).is_file() for name in (job.names.segmentation, job.names.confidence))
    unchanged = made_with.get("input") == stamp(job.scan.path)
    return Verdict.FINISHED if whole and unchanged and _readable(job, report) else Verdict.TO_DO


def finished_record(job: Job, orders: Orders) -> Record:
    """The record of a scan that `judge` found finished."""
    report = _report(orders.output / job.names.report) or {}
    return Record.from_report(job.scan.id, State.FINISHED_BEFORE, report)


def _report(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _readable(job: Job, report: dict[str, Any]) -> bool:
    try:
        Record.from_report(job.scan.id, State.FINISHED_BEFORE, report)
    except (KeyError, TypeError, AttributeError):
        return False
    return True


def _refusal(foreign: Sequence[Job], output: Path) -> CohortError:
    names = ", ".join(job.scan.id for job in foreign[:_NAMED])
    more = f" and {len(foreign) - _NAMED} more" if len(foreign) > _NAMED else ""
    return CohortError(
        f"{output} holds results of {names}{more} that were made with other prototypes, another model or of another "
        "scan: choose another output folder, or let them be replaced (--overwrite)."
    )
