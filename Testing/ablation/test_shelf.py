"""Results of finished trials, kept between runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from DPLSegmentLib.ablation.errors import AblationError
from DPLSegmentLib.ablation.shelf import Shelf, TrialResult
from DPLSegmentLib.ablation.study import Study, Trial


@pytest.fixture
def shelf(study: Study) -> Shelf:
    return Shelf(study)


def test_what_was_kept_is_found_again(shelf: Shelf, study: Study, result: TrialResult) -> None:
    assert shelf.find(result.trial) is None
    shelf.keep(result)
    assert shelf.find(result.trial) == Shelf(study).find(result.trial) == result
    assert shelf.find(Trial("no diffusion", 2)) is None


def test_nothing_lies_beside_it(shelf: Shelf, study: Study, result: TrialResult) -> None:
    before = set(study.output.iterdir())
    shelf.keep(result)
    assert set(study.output.iterdir()) - before == {shelf.path(result.trial)}


def test_a_result_of_another_study_is_refused_and_the_difference_named(
    shelf: Shelf, study: Study, result: TrialResult
) -> None:
    shelf.keep(result)
    other = replace(study, config=replace(study.config, steps=9, rollout=2), queries=None)
    with pytest.raises(AblationError, match="another setting of cases, rollout, steps: choose another --output"):
        Shelf(other).find(result.trial)


def test_a_study_that_was_moved_goes_on(study: Study, result: TrialResult, tmp_path: Path) -> None:
    moved = replace(study, start=tmp_path / "elsewhere.pt", config=replace(study.config, pack="elsewhere"))
    Shelf(study).keep(result)
    assert Shelf(moved).find(result.trial) == result


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"settings": {}, "row": 3}'])
def test_a_file_that_is_no_result_is_refused(shelf: Shelf, result: TrialResult, content: str) -> None:
    shelf.path(result.trial).write_text(content)
    with pytest.raises(AblationError, match="is no result of an ablation: move it away"):
        shelf.find(result.trial)
