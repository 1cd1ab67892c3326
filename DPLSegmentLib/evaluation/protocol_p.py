"""Protocol P: the few-shot literature's. Three painted slices of another patient, and the organ's slices given.

Source: Ouyang et al., "Self-supervision with superpixels", ECCV 2020, and the papers after it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from DPLSegmentLib.evaluation.dataset import Case
from DPLSegmentLib.evaluation.painting import extent, occupied, paint, thirds
from DPLSegmentLib.evaluation.plan import Plan, pairs
from DPLSegmentLib.evaluation.seam import Part
from DPLSegmentLib.evaluation.tasks import Task


def tasks(plan: Plan) -> Iterator[Task]:
    """One task for every query, structure and support patient; support slices at 1/6, 3/6 and 5/6 of the organ."""
    return (_task(case, other, structure) for case, other, structure in pairs(plan))


def _task(case: Case, other: Case, structure: str) -> Task:
    painted = thirds(other.truth(structure))
    truth = case.truth(structure)
    return Task(
        case.name,
        structure,
        (paint(other.volume, other.truth(structure), painted, structure),),
        case.volume,
        truth,
        other.name,
        slice_range=extent(truth),
        parts=_parts(case, other, truth, painted),
        scored=extent(truth),
    )


def _parts(case: Case, other: Case, truth: np.ndarray, painted: tuple[int, int, int]) -> tuple[Part, ...]:
    """Three equal shares of the query's slices, each with the painted slice at the same end of the body."""
    upward = case.volume.ijk_to_ras[2, 2] * other.volume.ijk_to_ras[2, 2] >= 0
    shares = (share for share in np.array_split(occupied(truth), 3))
    ordered = painted if upward else painted[::-1]
    return tuple(
        Part(int(share[0]), int(share[-1]), index) for share, index in zip(shares, ordered, strict=True) if share.size
    )
