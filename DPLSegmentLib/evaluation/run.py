"""All methods through one protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from DPLSegmentLib.evaluation.plan import Plan, queries
from DPLSegmentLib.evaluation.protocol_c import REPORTED
from DPLSegmentLib.evaluation.protocols import run_protocol
from DPLSegmentLib.evaluation.report import Result, extremes
from DPLSegmentLib.evaluation.seam import Segmenter
from DPLSegmentLib.evaluation.snapshot import Snapshot
from DPLSegmentLib.evaluation.tasks import Score

SCORES_A_QUERY = {"C": len(REPORTED), "R": 2}
OnScore = Callable[[str, Score], None]


@dataclass(frozen=True, eq=False)
class Method:
    """A row of the table; `make` gives the segmenter for a noise seed, `noisy` says whether the seed matters."""

    name: str
    make: Callable[[int], Segmenter]
    noisy: bool = False


@dataclass(frozen=True, eq=False)
class Run:
    """Results in the order of the methods, and worst, median and best case of the first one."""

    results: tuple[Result, ...]
    pictures: dict[str, tuple[Snapshot, Score]]


def run_methods(
    protocol: str, methods: Sequence[Method], plan: Plan, seeds: int = 1, on_score: OnScore | None = None
) -> Run:
    """Run every method once, and `seeds` times where it is noisy. `on_score` hears of every score as it comes."""
    results: list[Result] = []
    pictures: dict[str, tuple[Snapshot, Score]] = {}
    for method in methods:
        for seed in range(_rounds(method, plan, seeds)):
            scores, snapshots = _run_once(protocol, method, replace(plan, seed=seed), on_score)
            pictures = pictures or {word: (snapshots[at], scores[at]) for word, at in extremes(scores).items()}
            results.append(Result(method.name, tuple(scores), seed))
    return Run(tuple(results), pictures)


def length(protocol: str, methods: Sequence[Method], plan: Plan, seeds: int = 1) -> int:
    """About how many scores a run gives, for a progress bar; methods that cannot be asked everything give fewer."""
    rounds = sum(_rounds(method, plan, seeds) for method in methods)
    return rounds * sum(1 for _ in queries(plan)) * SCORES_A_QUERY.get(protocol, 1) * plan.partners


def _rounds(method: Method, plan: Plan, seeds: int) -> int:
    return seeds if method.noisy or plan.choice == "random" else 1


def _run_once(
    protocol: str, method: Method, plan: Plan, on_score: OnScore | None
) -> tuple[list[Score], list[Snapshot]]:
    scores: list[Score] = []
    snapshots: list[Snapshot] = []
    for outcome in run_protocol(protocol, method.make(plan.seed), plan):
        scores.append(outcome.score)
        snapshots.append(outcome.snapshot)
        if on_score:
            on_score(method.name, outcome.score)
    return scores, snapshots
