"""One question to a segmenter, and how well it was answered."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from DPLSegmentLib.evaluation.metrics import dice, hausdorff95, retention_gain
from DPLSegmentLib.evaluation.seam import Answer, Part, Segmenter
from DPLSegmentLib.evaluation.snapshot import Snapshot, take
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.types import PropagationError, Support


@dataclass(frozen=True, eq=False)
class Task:
    """Find one structure in the query; `truth` is bool [z, y, x] on its grid.

    `setting` tells the tasks of one protocol apart (R: "S" and "X"; C: how many slices are painted).
    With `scored` (first, last), only these slices count.
    """

    case: str
    structure: str
    supports: tuple[Support, ...]
    query: Volume
    truth: np.ndarray
    support_case: str
    setting: str = ""
    slice_range: tuple[int, int] | None = None
    parts: tuple[Part, ...] = ()
    scored: tuple[int, int] | None = None


@dataclass(frozen=True)
class Score:
    """How well one task was answered: Dice 0..1, HD95 in mm (infinite when nothing was found), wall seconds.

    `retention_gain` says how well the confidence orders the errors inside the result (see `metrics`), None where the
    method tells no confidence. `problem` is what the method said instead of an answer; its Dice is then 0.
    """

    case: str
    structure: str
    setting: str
    support_case: str
    dice: float
    hd95: float
    seconds: float
    retention_gain: float | None = None
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Outcome:
    """A score, the answer it was given for and what is needed to draw it."""

    score: Score
    answer: Answer
    snapshot: Snapshot


def attempt(segmenter: Segmenter, task: Task) -> Outcome:
    """Put one task to a segmenter and mark the answer; a task that it refuses scores 0."""
    started = time.perf_counter()
    answer, problem = _ask(segmenter, task)
    seconds = time.perf_counter() - started
    first, last = task.scored or (0, len(task.truth) - 1)
    shown = slice(first, last + 1)
    mask = answer.masks[task.structure]
    result, truth = mask[shown], task.truth[shown]
    score = Score(
        task.case,
        task.structure,
        task.setting,
        task.support_case,
        dice(result, truth),
        hausdorff95(result, truth, task.query.spacing),
        seconds,
        _gain(answer, result, truth, shown),
        problem,
    )
    return Outcome(score, answer, take(task.query, task.truth, mask))


def _ask(segmenter: Segmenter, task: Task) -> tuple[Answer, str]:
    try:
        return segmenter.segment(task.supports, task.query, task.slice_range, task.parts), ""
    except PropagationError as error:
        return Answer({task.structure: np.zeros(task.truth.shape, bool)}), str(error)


def _gain(answer: Answer, result: np.ndarray, truth: np.ndarray, shown: slice) -> float | None:
    if answer.confidence is None or not result.any():
        return None
    gain = retention_gain(~truth[result], answer.confidence[shown][result])
    return None if np.isnan(gain) else gain
