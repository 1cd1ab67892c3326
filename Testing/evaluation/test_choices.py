"""Protocol C with every choice of the next slice, side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from DPLSegmentLib.evaluation.choices import length_of_choices, per_click, run_choices
from DPLSegmentLib.evaluation.plan import CHOICES, Plan
from DPLSegmentLib.evaluation.report import Result
from DPLSegmentLib.evaluation.run import Method
from DPLSegmentLib.evaluation.seam import Segmenter
from DPLSegmentLib.evaluation.tasks import Score


@pytest.fixture
def methods(oracle: Segmenter) -> list[Method]:
    return [Method("oracle", lambda _seed: oracle)]


@pytest.fixture
def one_kidney(kidneys: Plan) -> Plan:
    return replace(kidneys, queries=1)


def clicked(method: str, seed: int, dice: float, count: int) -> Result:
    return Result(method, (Score("a", "liver", f"{count} painted", "a", dice, 1.0, 0.5),), seed)


def test_every_choice_is_a_row_of_its_own_and_the_random_one_runs_once_a_seed(
    methods: list[Method], one_kidney: Plan
) -> None:
    done = run_choices(methods, one_kidney, seeds=2)
    assert [(result.method, result.seed) for result in done.results] == [
        ("oracle, tool picks", 0),
        ("oracle, middle picks", 0),
        ("oracle, random picks", 0),
        ("oracle, random picks", 1),
    ]
    assert set(done.pictures) == {"worst", "median", "best"}


def test_as_many_scores_come_as_were_announced(methods: list[Method], one_kidney: Plan) -> None:
    heard: list[Score] = []
    run_choices(methods, one_kidney, 2, lambda _method, score: heard.append(score))
    assert len(heard) == length_of_choices(methods, one_kidney, 2) == 4 * (len(CHOICES) + 1)


def test_the_table_has_a_line_a_choice_and_a_column_a_click() -> None:
    results = [clicked("tool", 0, 0.8, 1), clicked("tool", 0, 0.9, 2)]
    results += [clicked("random", seed, dice, count) for seed, dice in ((0, 0.4), (1, 0.6)) for count in (1, 2)]
    title, head, *lines = per_click(results, "Dice per click").splitlines()
    assert title == "Dice per click"
    assert head.split() == ["Dice", "%", "1", "painted", "2", "painted"]
    assert [line.split() for line in lines] == [
        ["tool", "80.0", "90.0"],
        ["random", "50.0", "±14.1", "50.0", "±14.1"],
    ]
