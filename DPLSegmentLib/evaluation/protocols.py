"""The protocols by their letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from DPLSegmentLib.evaluation import protocol_c, protocol_p, protocol_r, protocol_s, protocol_x
from DPLSegmentLib.evaluation.errors import EvaluationError
from DPLSegmentLib.evaluation.plan import Plan
from DPLSegmentLib.evaluation.seam import NotApplicable, Segmenter
from DPLSegmentLib.evaluation.tasks import Outcome, Task, attempt

FIXED: Mapping[str, Callable[[Plan], Iterator[Task]]] = {
    "P": protocol_p.tasks,
    "S": protocol_s.tasks,
    "X": protocol_x.tasks,
    "R": protocol_r.tasks,
}
DESCRIPTIONS: Mapping[str, str] = {
    "P": "published: three slices of another patient, the organ's slices given",
    "S": "one painted slice of the same scan, whole volume",
    "X": "one painted slice of another patient, whole volume",
    "R": "S and X with the organ's first and last slice given",
    "C": "S with up to five painted slices, each the one to paint next",
}


def run_protocol(protocol: str, segmenter: Segmenter, plan: Plan) -> Iterator[Outcome]:
    """Every outcome of one method under one protocol (P, S, X, R or C), without the tasks it cannot be asked.

    Raises EvaluationError for another letter and for too few cases.
    """
    if protocol == "C":
        return protocol_c.outcomes(segmenter, plan)
    if protocol not in FIXED:
        raise EvaluationError(f"There is no protocol {protocol}; there are {', '.join(DESCRIPTIONS)}.")
    return _applicable(segmenter, FIXED[protocol](plan))


def _applicable(segmenter: Segmenter, tasks: Iterator[Task]) -> Iterator[Outcome]:
    for task in tasks:
        try:
            yield attempt(segmenter, task)
        except NotApplicable:
            continue
