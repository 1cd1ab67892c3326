"""What each protocol asks, and how it marks the answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from DPLSegmentLib.evaluation.errors import EvaluationError
from DPLSegmentLib.evaluation.painting import largest_slice, occupied, thirds
from DPLSegmentLib.evaluation.plan import Plan
from DPLSegmentLib.evaluation.protocols import DESCRIPTIONS, run_protocol
from DPLSegmentLib.evaluation.seam import Answer, Segmenter
from DPLSegmentLib.evaluation.tasks import Score
from DPLSegmentLib.propagation.types import PropagationError

Blocks = Callable[[Sequence[range]], Plan]


class Asking:
    """Finds nothing and asks for one slice, always the same."""

    name = "asking"

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.seen: list[list[int]] = []

    def segment(self, supports: Sequence, query: object, slice_range: object = None, parts: Sequence = ()) -> Answer:
        (segment,) = supports[0].painted.segments
        self.seen.append(occupied(segment.mask).tolist())
        return Answer({segment.name: np.zeros_like(segment.mask)}, {segment.name: self.wanted})


class Refusing:
    """Refuses everything."""

    name = "refusing"

    def segment(self, supports: Sequence, query: object, slice_range: object = None, parts: Sequence = ()) -> Answer:
        raise PropagationError("This scan is too small.")


def scores(protocol: str, segmenter: Segmenter, plan: Plan) -> list[Score]:
    return [outcome.score for outcome in run_protocol(protocol, segmenter, plan)]


@pytest.mark.parametrize("protocol", DESCRIPTIONS)
def test_the_truth_scores_one_under_every_protocol(protocol: str, oracle: Segmenter, kidneys: Plan) -> None:
    marked = scores(protocol, oracle, kidneys)
    assert marked
    assert all(score.dice == 1.0 and score.hd95 == 0.0 for score in marked)


def test_same_patient_gives_one_painted_slice_and_nothing_else(oracle: Segmenter, kidneys: Plan) -> None:
    scores("S", oracle, kidneys)
    for (supports, slice_range, parts), case in zip(oracle.asked, kidneys.dataset.cases, strict=True):
        assert supports[0].volume is case.volume
        assert occupied(supports[0].painted.segments[0].mask).tolist() == [largest_slice(case.truth("right kidney"))]
        assert slice_range is None and not parts


def test_cross_patient_paints_the_next_patient(oracle: Segmenter, kidneys: Plan) -> None:
    marked = scores("X", oracle, kidneys)
    assert [(score.case, score.support_case) for score in marked] == [("case-01", "case-02"), ("case-02", "case-01")]
    assert oracle.asked[0][0][0].volume is kidneys.dataset.cases[1].volume


def test_copying_a_block_through_the_volume_has_the_dice_of_its_share(copier: Segmenter, blocks: Blocks) -> None:
    (score,) = scores("S", copier, blocks([range(2, 6)]))
    assert score.dice == pytest.approx(2 * 4 / (4 + 10))


def test_a_given_range_makes_copying_a_block_right(copier: Segmenter, blocks: Blocks) -> None:
    marked = scores("R", copier, blocks([range(2, 6), range(4, 9)]))
    assert [(score.setting, score.dice) for score in marked] == [("S", 1.0), ("S", 1.0), ("X", 1.0), ("X", 1.0)]


def test_range_protocol_leaves_out_the_other_patient_where_there_is_none(copier: Segmenter, blocks: Blocks) -> None:
    assert [score.setting for score in scores("R", copier, blocks([range(2, 6)]))] == ["S"]


def test_published_protocol_paints_three_slices_at_sixths_of_the_organ(oracle: Segmenter, blocks: Blocks) -> None:
    plan = blocks([range(1, 7), range(2, 8)])
    segmenter = type(oracle)(plan.dataset)
    scores("P", segmenter, plan)
    supports, slice_range, parts = segmenter.asked[0]
    assert occupied(supports[0].painted.segments[0].mask).tolist() == [3, 5, 7]
    assert slice_range == (1, 6)
    assert [(part.first, part.last, part.painted) for part in parts] == [(1, 2, 3), (3, 4, 5), (5, 6, 7)]


def test_published_protocol_counts_the_slices_of_the_organ_only(copier: Segmenter, blocks: Blocks) -> None:
    assert all(score.dice == 1.0 for score in scores("P", copier, blocks([range(1, 7), range(2, 8)])))


def test_published_protocol_turns_the_parts_of_an_upside_down_scan(blocks: Blocks) -> None:
    from DPLSegmentLib.evaluation.protocol_p import tasks

    plan = blocks([range(1, 7), range(2, 8)])
    query = plan.dataset.cases[0]
    assert query.has("block")
    query.__dict__["volume"] = replace(query.volume, ijk_to_ras=np.diag([1.0, 1.0, -1.0, 1.0]))
    assert [part.painted for part in next(tasks(plan)).parts] == [7, 5, 3]


def test_a_structure_of_one_slice_still_gets_its_part(oracle: Segmenter, blocks: Blocks) -> None:
    plan = blocks([range(4, 5), range(2, 3)])
    segmenter = type(oracle)(plan.dataset)
    assert [score.dice for score in scores("P", segmenter, plan)] == [1.0, 1.0]


def test_sixths_of_an_organ_stay_inside_it() -> None:
    mask = np.zeros((20, 4, 4), bool)
    mask[[3, 4, 15]] = True
    assert thirds(mask) == (4, 4, 15)


def test_clicks_follow_the_tool_to_the_nearest_slice_of_the_organ(blocks: Blocks) -> None:
    asking = Asking(wanted=0)
    marked = scores("C", asking, blocks([range(2, 8)]))
    assert asking.seen == [[2], [2, 3], [2, 3, 4], [2, 3, 4, 5], [2, 3, 4, 5, 6]]
    assert [score.setting for score in marked] == ["1 painted", "2 painted", "3 painted", "5 painted"]


def test_clicks_in_the_middle_halve_the_widest_unpainted_stretch(blocks: Blocks) -> None:
    asking = Asking(wanted=0)
    scores("C", asking, replace(blocks([range(2, 8)]), choice="middle"))
    assert asking.seen[:3] == [[2], [2, 5], [2, 4, 5]] or asking.seen[:3] == [[2], [2, 5], [2, 5, 7]]


def test_random_clicks_repeat_with_their_seed(blocks: Blocks) -> None:
    plan = replace(blocks([range(0, 10)]), choice="random", seed=3)
    one, other = Asking(0), Asking(0)
    scores("C", one, plan)
    scores("C", other, plan)
    assert one.seen == other.seen
    assert len(one.seen[-1]) == 5


def test_clicks_end_when_every_slice_is_painted(blocks: Blocks) -> None:
    asking = Asking(wanted=0)
    assert len(scores("C", asking, blocks([range(4, 6)]))) == 4
    assert asking.seen[-1] == [4, 5]


def test_a_structure_that_a_scan_does_not_hold_is_not_asked_for(oracle: Segmenter, kidneys: Plan) -> None:
    assert scores("S", oracle, replace(kidneys, structures=("urinary bladder",))) == []


def test_a_refusal_scores_nothing_and_keeps_its_sentence(kidneys: Plan) -> None:
    score = scores("S", Refusing(), kidneys)[0]
    assert (score.dice, score.hd95, score.problem) == (0.0, float("inf"), "This scan is too small.")


def test_the_number_of_cases_limits_queries_but_not_supports(oracle: Segmenter, kidneys: Plan) -> None:
    assert [score.support_case for score in scores("X", oracle, replace(kidneys, queries=1))] == ["case-02"]


def test_another_patient_takes_two_cases(copier: Segmenter, blocks: Blocks) -> None:
    with pytest.raises(EvaluationError, match="holds one case"):
        scores("X", copier, blocks([range(2, 6)]))


def test_an_unknown_protocol_is_refused(copier: Segmenter, kidneys: Plan) -> None:
    with pytest.raises(EvaluationError, match="There is no protocol Q"):
        scores("Q", copier, kidneys)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"structures": ("heart",)}, "names no structure heart"),
        ({"queries": 0}, "at least 1"),
        ({"partners": 0}, "at least 1"),
        ({"choice": "best"}, "not by best"),
    ],
)
def test_an_impossible_plan_is_refused(kidneys: Plan, change: dict, sentence: str) -> None:
    with pytest.raises(EvaluationError, match=sentence):
        replace(kidneys, **change)
