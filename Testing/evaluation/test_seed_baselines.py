"""The baselines that grow from seeds, on a real kidney."""

from __future__ import annotations

import numpy as np
import pytest

from DPLSegmentLib.evaluation.dataset import Case, Dataset
from DPLSegmentLib.evaluation.metrics import dice
from DPLSegmentLib.evaluation.painting import extent, largest_slice, paint
from DPLSegmentLib.evaluation.plan import Plan
from DPLSegmentLib.evaluation.protocols import run_protocol
from DPLSegmentLib.evaluation.random_walker import RandomWalker
from DPLSegmentLib.evaluation.seam import NotApplicable, Segmenter
from DPLSegmentLib.evaluation.seeds import BACKGROUND, FOREGROUND, seed_map
from DPLSegmentLib.propagation.types import Support


@pytest.fixture(scope="module")
def case(dataset: Dataset) -> Case:
    return dataset.cases[0]


@pytest.fixture(scope="module")
def kidney(case: Case) -> np.ndarray:
    return case.truth("right kidney")


@pytest.fixture(scope="module")
def painted(case: Case, kidney: np.ndarray) -> Support:
    return paint(case.volume, kidney, [largest_slice(kidney)], "right kidney")


@pytest.fixture(params=["grow from seeds", "random walker"])
def segmenter(request: pytest.FixtureRequest) -> Segmenter:
    if request.param == "random walker":
        return RandomWalker()
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from DPLSegmentLib.evaluation.grow_from_seeds import GrowFromSeeds

    return GrowFromSeeds()


def test_seeds_are_the_structure_and_a_ring_in_the_painted_slice_alone(painted: Support, kidney: np.ndarray) -> None:
    seeds = seed_map(painted.painted.segments[0].mask, painted.volume.spacing)
    index = largest_slice(kidney)
    assert np.array_equal(seeds[index] == FOREGROUND, kidney[index])
    assert not (seeds[index][kidney[index]] == BACKGROUND).any()
    assert (seeds[index] == BACKGROUND).any()
    assert not np.delete(seeds, index, axis=0).any()


def test_most_of_a_real_kidney_is_found(segmenter: Segmenter, painted: Support, kidney: np.ndarray) -> None:
    mask = segmenter.segment([painted], painted.volume).masks["right kidney"]
    assert mask.dtype == bool and mask.shape == kidney.shape
    assert dice(mask, kidney) > 0.7


def test_the_painted_slice_stays_as_painted(segmenter: Segmenter, painted: Support, kidney: np.ndarray) -> None:
    mask = segmenter.segment([painted], painted.volume).masks["right kidney"]
    assert np.array_equal(mask[largest_slice(kidney)], kidney[largest_slice(kidney)])


def test_nothing_is_found_outside_a_given_range(segmenter: Segmenter, painted: Support, kidney: np.ndarray) -> None:
    first, last = extent(kidney)
    mask = segmenter.segment([painted], painted.volume, (first, last)).masks["right kidney"]
    assert not mask[:first].any() and not mask[last + 1 :].any()


def test_the_same_seeds_give_the_same_mask(segmenter: Segmenter, painted: Support) -> None:
    one, other = (segmenter.segment([painted], painted.volume).masks["right kidney"] for _ in range(2))
    assert np.array_equal(one, other)


def test_seeds_in_another_scan_are_not_applicable(segmenter: Segmenter, painted: Support, dataset: Dataset) -> None:
    with pytest.raises(NotApplicable):
        segmenter.segment([painted], dataset.cases[1].volume)


def test_cross_patient_has_no_row_for_them(segmenter: Segmenter, kidneys: Plan) -> None:
    assert list(run_protocol("X", segmenter, kidneys)) == []
    assert {outcome.score.setting for outcome in run_protocol("R", segmenter, kidneys)} == {"S"}
