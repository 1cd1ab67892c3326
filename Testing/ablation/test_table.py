"""The tables of an ablation against numbers worked out by hand."""

from __future__ import annotations

import pytest

from DPLSegmentLib.ablation.rows import SHIPPED
from DPLSegmentLib.ablation.shelf import TrialResult
from DPLSegmentLib.ablation.table import document, tables

COLUMN = "abdomen-mr/val S"


def trial(row: str, seed: int, dice: float) -> TrialResult:
    return TrialResult(row, seed, {COLUMN: dice}, [], 1.0, {})


@pytest.fixture
def results() -> list[TrialResult]:
    shipped = [trial(SHIPPED, seed, dice) for seed, dice in enumerate((0.8, 0.6))]
    return [*shipped, trial("K = 1", 0, 0.81), trial("K = 1", 1, 0.63)]


@pytest.fixture
def rows() -> dict[str, str]:
    return {SHIPPED: SHIPPED, "K = 1": "K = 1", "K = 4": SHIPPED}


def test_every_row_has_its_mean_and_spread_over_the_seeds(results: list[TrialResult], rows: dict[str, str]) -> None:
    title, head, shipped, one, four = tables(results, rows, [COLUMN], "Ablations").split("\n\n")[0].splitlines()
    assert (title, head.split()) == ("Ablations", ["Dice", "%", "abdomen-mr/val", "S"])
    assert shipped.split() == ["shipped", "recipe", "70.0", "±14.1"]
    assert one.split() == ["K", "=", "1", "72.0", "±12.7"]
    assert four.split() == ["K", "=", "4", "(shipped", "recipe)", "70.0", "±14.1"]


def test_differences_are_taken_seed_by_seed(results: list[TrialResult], rows: dict[str, str]) -> None:
    _title, _head, *lines = tables(results, rows, [COLUMN], "Ablations").split("\n\n")[1].splitlines()
    assert [line.split() for line in lines] == [["K", "=", "1", "+2.0", "±1.4"]]


def test_hardly_any_difference_is_no_negative_one(results: list[TrialResult], rows: dict[str, str]) -> None:
    shown = tables([results[0], trial("K = 1", 0, 0.79999)], rows, [COLUMN], "Ablations")
    assert shown.endswith("+0.0")


def test_without_the_shipped_recipe_there_is_no_difference(results: list[TrialResult]) -> None:
    assert "Difference" not in tables(results[2:], {"K = 1": "K = 1"}, [COLUMN], "Ablations")


def test_one_seed_has_no_spread(results: list[TrialResult], rows: dict[str, str]) -> None:
    assert "±" not in tables([results[0], results[2]], rows, [COLUMN], "Ablations")


def test_the_document_holds_the_value_of_every_seed(results: list[TrialResult], rows: dict[str, str]) -> None:
    content = document(results, rows, [COLUMN])
    assert content["K = 4"]["trained as"] == SHIPPED
    assert content["K = 1"][COLUMN]["seeds"] == {0: 0.81, 1: 0.63}
    assert content["K = 1"][COLUMN]["mean"] == pytest.approx(0.72)
