"""Protocol S: one painted slice of the same scan, the one with the largest area; nothing else given."""

from __future__ import annotations

from collections.abc import Iterator

from DPLSegmentLib.evaluation.dataset import Case
from DPLSegmentLib.evaluation.painting import largest_slice, paint
from DPLSegmentLib.evaluation.plan import Plan, queries
from DPLSegmentLib.evaluation.tasks import Task


def tasks(plan: Plan) -> Iterator[Task]:
    """One task for every case and structure; the whole volume counts."""
    return (_task(case, structure) for case, structure in queries(plan))


def _task(case: Case, structure: str) -> Task:
    truth = case.truth(structure)
    support = paint(case.volume, truth, (largest_slice(truth),), structure)
    return Task(case.name, structure, (support,), case.volume, truth, case.name)
