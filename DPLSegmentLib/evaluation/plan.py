"""What shall be evaluated: on which cases, which structures, with which choices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from DPLSegmentLib.evaluation.dataset import Case, Dataset
from DPLSegmentLib.evaluation.errors import EvaluationError

CHOICES = ("tool", "middle", "random")


@dataclass(frozen=True, eq=False)
class Plan:
    """The cases and structures of one run.

    `queries` limits the run to the first so many cases (supports still come from all). `partners` is how many other
    patients each query is asked with, one after the other. `choice` is who picks the next slice of protocol C, and
    `seed` is for the random pick.
    """

    dataset: Dataset
    structures: tuple[str, ...]
    queries: int | None = None
    partners: int = 1
    choice: str = "tool"
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = set(self.structures) - set(self.dataset.structures)
        if not self.structures:
            raise EvaluationError(f"{self.dataset.directory} names no structure that was asked for.")
        if unknown:
            raise EvaluationError(f"{self.dataset.directory} names no structure {', '.join(sorted(unknown))}.")
        if self.choice not in CHOICES:
            raise EvaluationError(f"The next slice is picked by {', '.join(CHOICES)}, not by {self.choice}.")
        if (self.queries is not None and self.queries < 1) or self.partners < 1:
            raise EvaluationError("The number of cases and of support patients must be at least 1.")


def queries(plan: Plan) -> Iterator[tuple[Case, str]]:
    """Every case with every structure that it holds."""
    for case in plan.dataset.cases[: plan.queries]:
        for structure in plan.structures:
            if case.has(structure):
                yield case, structure


def pairs(plan: Plan) -> Iterator[tuple[Case, Case, str]]:
    """Every query with the next `partners` cases that hold the structure, in sorted order, round and round."""
    if len(plan.dataset.cases) < 2:
        raise EvaluationError(f"{plan.dataset.directory} holds one case; another patient as support takes two.")
    for case, structure in queries(plan):
        for other in plan.dataset.others(case, structure)[: plan.partners]:
            yield case, other, structure
