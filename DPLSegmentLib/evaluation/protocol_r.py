"""Protocol R: S and X, with the structure's first and last slice given by the user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from DPLSegmentLib.evaluation import protocol_s, protocol_x
from DPLSegmentLib.evaluation.painting import extent
from DPLSegmentLib.evaluation.plan import Plan
from DPLSegmentLib.evaluation.tasks import Task


def tasks(plan: Plan) -> Iterator[Task]:
    """The tasks of S, and those of X where there is another patient, each with its slice range."""
    yield from (_ranged(task, "S") for task in protocol_s.tasks(plan))
    if len(plan.dataset.cases) > 1:
        yield from (_ranged(task, "X") for task in protocol_x.tasks(plan))


def _ranged(task: Task, setting: str) -> Task:
    return replace(task, setting=setting, slice_range=extent(task.truth))
