"""Protocol X: one painted slice of another patient, the one with the largest area; nothing else given."""

from __future__ import annotations

from collections.abc import Iterator

from DPLSegmentLib.evaluation.dataset import Case
from DPLSegmentLib.evaluation.painting import largest_slice, paint
from DPLSegmentLib.evaluation.plan import Plan, pairs
from DPLSegmentLib.evaluation.tasks import Task


def tasks(plan: Plan) -> Iterator[Task]:
    """One task for every query, structure and support patient; the whole volume counts."""
    return (_task(case, other, structure) for case, other, structure in pairs(plan))


def _task(case: Case, other: Case, structure: str) -> Task:
    painted = other.truth(structure)
    support = paint(other.volume, painted, (largest_slice(painted),), structure)
    return Task(case.name, structure, (support,), case.volume, case.truth(structure), other.name)
