"""Protocol C: S with up to five painted slices, each the one to paint next; Dice after 1, 2, 3 and 5.

The simulated user paints what the tool asks for. Asked for a slice without the structure, they paint the nearest one
that has it; not asked for any, or for the middle, they paint in the middle of the widest stretch not painted yet.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from DPLSegmentLib.evaluation.dataset import Case
from DPLSegmentLib.evaluation.painting import largest_slice, occupied, paint
from DPLSegmentLib.evaluation.plan import Plan, queries
from DPLSegmentLib.evaluation.seam import Segmenter
from DPLSegmentLib.evaluation.tasks import Outcome, Task, attempt

REPORTED = (1, 2, 3, 5)


def outcomes(segmenter: Segmenter, plan: Plan) -> Iterator[Outcome]:
    """One outcome for every case, structure and number of painted slices in `REPORTED`."""
    generator = np.random.default_rng(plan.seed)
    for case, structure in queries(plan):
        yield from _clicks(segmenter, case, structure, plan.choice, generator)


def _clicks(
    segmenter: Segmenter, case: Case, structure: str, choice: str, generator: np.random.Generator
) -> Iterator[Outcome]:
    truth = case.truth(structure)
    painted = [largest_slice(truth)]
    for count in range(1, REPORTED[-1] + 1):
        outcome = attempt(segmenter, _task(case, structure, painted, count))
        if count in REPORTED:
            yield outcome
        asked = outcome.answer.next_slice.get(structure) if choice == "tool" else None
        painted = painted + _next(truth, painted, asked, generator if choice == "random" else None)


def _task(case: Case, structure: str, painted: list[int], count: int) -> Task:
    truth = case.truth(structure)
    support = paint(case.volume, truth, painted, structure)
    return Task(case.name, structure, (support,), case.volume, truth, case.name, setting=f"{count} painted")


def _next(truth: np.ndarray, painted: list[int], asked: int | None, generator: np.random.Generator | None) -> list[int]:
    """The slice to paint, in a list; an empty list once every slice of the structure is painted."""
    left = np.setdiff1d(occupied(truth), painted)
    if left.size == 0:
        return []
    if generator is not None:
        return [int(generator.choice(left))]
    return [int(left[np.abs(left - asked).argmin()]) if asked is not None else _middle_of_widest(left)]


def _middle_of_widest(left: np.ndarray) -> int:
    stretches = np.split(left, np.flatnonzero(np.diff(left) > 1) + 1)
    widest = max(stretches, key=len)
    return int(widest[len(widest) // 2])
