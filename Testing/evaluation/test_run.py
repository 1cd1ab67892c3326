"""All methods through one protocol."""

from __future__ import annotations

from dataclasses import replace

import pytest

from DPLSegmentLib.evaluation.plan import Plan
from DPLSegmentLib.evaluation.run import Method, length, run_methods
from DPLSegmentLib.evaluation.seam import Segmenter
from DPLSegmentLib.evaluation.tasks import Score


@pytest.fixture
def methods(copier: Segmenter, oracle: Segmenter) -> list[Method]:
    return [Method("copier", lambda _seed: copier, noisy=True), Method("oracle", lambda _seed: oracle)]


def test_only_noisy_methods_run_once_a_seed(methods: list[Method], kidneys: Plan) -> None:
    done = run_methods("S", methods, kidneys, seeds=3)
    assert [(result.method, result.seed) for result in done.results] == [
        ("copier", 0),
        ("copier", 1),
        ("copier", 2),
        ("oracle", 0),
    ]


def test_every_method_runs_once_a_seed_when_slices_are_picked_at_random(methods: list[Method], kidneys: Plan) -> None:
    done = run_methods("C", methods[1:], replace(kidneys, choice="random", queries=1), seeds=2)
    assert [result.seed for result in done.results] == [0, 1]


def test_the_pictures_are_of_the_first_method(methods: list[Method], kidneys: Plan) -> None:
    done = run_methods("S", methods, kidneys)
    assert set(done.pictures) == {"worst", "median", "best"}
    assert all(score.dice < 1.0 for _snapshot, score in done.pictures.values())


@pytest.mark.parametrize("protocol", ["P", "S", "X", "R", "C"])
def test_as_many_scores_come_as_were_announced(protocol: str, oracle: Segmenter, kidneys: Plan) -> None:
    heard: list[Score] = []
    methods = [Method(name, lambda _seed: oracle, noisy) for name, noisy in (("noisy", True), ("quiet", False))]
    run_methods(protocol, methods, kidneys, seeds=2, on_score=lambda _method, score: heard.append(score))
    assert len(heard) == length(protocol, methods, kidneys, seeds=2)
