"""The table, the document and the pictures of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from DPLSegmentLib.evaluation.machine import describe, machine
from DPLSegmentLib.evaluation.pictures import draw
from DPLSegmentLib.evaluation.plan import Plan
from DPLSegmentLib.evaluation.protocols import run_protocol
from DPLSegmentLib.evaluation.report import Result, document, extremes, rows, tables
from DPLSegmentLib.evaluation.score_picture import draw_scores, series
from DPLSegmentLib.evaluation.seam import Segmenter
from DPLSegmentLib.evaluation.tasks import Score


def score(case: str, structure: str, dice: float, setting: str = "", hd95: float = 1.0) -> Score:
    return Score(case, structure, setting, case, dice, hd95, 0.5)


@pytest.fixture
def result() -> Result:
    return Result("ours", (score("a", "liver", 0.9), score("b", "liver", 0.7), score("a", "spleen", 0.4)))


def test_the_mean_is_over_scans_first_and_organs_second(result: Result) -> None:
    (row,) = rows([result], "")
    assert row.dice == {"liver": pytest.approx(0.8), "spleen": pytest.approx(0.4)}
    assert row.mean == pytest.approx(0.6)
    assert row.spread is None


def test_the_spread_is_that_of_the_means_over_seeds(result: Result) -> None:
    other = Result("ours", (score("a", "liver", 0.6), score("a", "spleen", 0.2)), seed=1)
    (row,) = rows([result, other], "")
    assert row.mean == pytest.approx(0.5)
    assert row.spread == pytest.approx(0.2 / 2**0.5)


def test_one_structure_that_was_not_found_leaves_the_median_distance_finite() -> None:
    (row,) = rows([Result("ours", tuple(score("a", "liver", 0.5, hd95=d) for d in (2.0, 3.0, float("inf"))))], "")
    assert row.hd95 == 3.0


def test_the_table_has_ours_first_and_a_dash_where_nothing_was_measured(result: Result) -> None:
    text = tables([result, Result("other", (score("a", "liver", 0.5),))], ("liver", "spleen"), "S on data")
    title, head, first, second = text.splitlines()
    assert title == "S on data"
    assert head.split() == ["Dice", "%", "liver", "spleen", "mean", "HD95", "mm", "seconds"]
    assert first.split() == ["ours", "80.0", "40.0", "60.0", "1.0", "0.50"]
    assert second.split() == ["other", "50.0", "-", "50.0", "1.0", "0.50"]


def test_every_setting_has_its_own_table() -> None:
    result = Result("ours", (score("a", "liver", 0.5, "S"), score("a", "liver", 0.6, "X")))
    assert [line for line in tables([result], ("liver",), "R").splitlines() if line.startswith("R")] == ["R, S", "R, X"]


def test_the_document_holds_every_score_and_the_facts(result: Result) -> None:
    content = json.loads(json.dumps(document([result], {"protocol": "S"})))
    assert content["protocol"] == "S"
    assert content["rows"]["all"][0]["method"] == "ours"
    assert [entry["case"] for entry in content["scores"]] == ["a", "b", "a"]


def test_extremes_are_the_worst_the_median_and_the_best(result: Result) -> None:
    assert extremes(result.scores) == {"worst": 2, "median": 1, "best": 0}
    assert extremes([]) == {}


def test_a_case_is_drawn(copier: Segmenter, kidneys: Plan, tmp_path: Path) -> None:
    outcome = next(run_protocol("S", copier, kidneys))
    draw(outcome.snapshot, outcome.score, tmp_path / "worst.png")
    assert (tmp_path / "worst.png").read_bytes().startswith(b"\x89PNG")


def test_the_machine_is_named() -> None:
    facts = machine()
    assert facts["cpu"] and facts["cores"] >= 1 and facts["torch"]
    assert facts["cpu"] in describe(facts)


def test_every_method_has_a_series_of_structures_and_every_setting_its_own(result: Result) -> None:
    other = Result("other", (score("a", "liver", 0.5),))
    assert series([result, other]) == {
        "ours": {"liver": pytest.approx(0.8), "spleen": pytest.approx(0.4)},
        "other": {"liver": pytest.approx(0.5)},
    }
    clicks = Result("ours", (score("a", "liver", 0.5, "1 painted"), score("a", "liver", 0.7, "2 painted")))
    assert list(series([clicks])) == ["ours, 1 painted", "ours, 2 painted"]


def test_the_scores_are_drawn_where_a_method_lacks_a_structure(result: Result, tmp_path: Path) -> None:
    draw_scores([result, Result("other", (score("a", "liver", 0.5),))], "S on data", tmp_path / "scores.png")
    assert (tmp_path / "scores.png").read_bytes().startswith(b"\x89PNG")
