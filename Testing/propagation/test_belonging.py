"""What was swept is weighed with whether it belongs to what it began from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.belonging import Belonging
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.sweep import Seed
from DPLSegmentLib.propagation.types import Cancelled

Organs = dict[str, Tensor]


def never() -> None:
    """Nothing is cancelled."""


@pytest.fixture(scope="module")
def embedding(engine: Engine, liver_ct: Volume) -> Embedding:
    """The crop with the whole liver."""
    return engine.embed(liver_ct)


@pytest.fixture(scope="module")
def organs(liver_truth: Segmentation, embedding: Embedding) -> Organs:
    """float [n, H, W] by name, in working pixels."""
    stack = embedding.stack

    def working(mask: np.ndarray) -> Tensor:
        return torch.from_numpy(np.stack([stack.slice_to_working(each) for each in mask]) > 0.5).float()

    return {segment.name: working(segment.mask) for segment in liver_truth.segments}


@pytest.fixture(scope="module")
def leaking(organs: Organs) -> Tensor:
    """A sweep of the liver that took in the spleen: both are as likely."""
    return 0.8 * (organs["liver"] + organs["spleen"]).clamp(max=1)


@pytest.fixture(scope="module")
def painted(organs: Organs) -> Seed:
    """The largest slice of the liver."""
    index = int(organs["liver"].sum((1, 2)).argmax())
    return Seed(index, organs["liver"][index])


@pytest.fixture
def belonging(engine: Engine, embedding: Embedding, painted: Seed) -> Belonging:
    """To that slice."""
    return Belonging(embedding, engine.network.affinity, [painted], (0, -1), never)


def mean_in(probability: Tensor, organ: Tensor, painted: Seed) -> float:
    """Probability within an organ, but for the painted slice."""
    there = organ > 0.5
    there[painted.index] = False
    return float(probability[there].mean())


def test_what_leaked_in_becomes_less_likely_and_the_rest_more(
    belonging: Belonging, leaking: Tensor, organs: Organs, painted: Seed
) -> None:
    weighed = belonging.weighed(leaking)
    liver, spleen = (mean_in(weighed, organs[name].clone(), painted) for name in ("liver", "spleen"))
    assert spleen < 0.65 < 0.8 < liver


def test_painted_slices_stay_and_nothing_comes_where_nothing_was(
    belonging: Belonging, leaking: Tensor, painted: Seed
) -> None:
    weighed = belonging.weighed(leaking)
    assert torch.equal(weighed[painted.index], leaking[painted.index])
    assert not weighed[leaking == 0].any()


def test_the_less_it_is_to_count_the_less_changes(belonging: Belonging, leaking: Tensor) -> None:
    changes = [float((belonging.weighed(leaking, share) - leaking).abs().sum()) for share in (0.0, 0.5, 1.0)]
    assert changes[0] < 0.02 * changes[1] < changes[1] < changes[2]


def test_little_paint_tells_less(belonging: Belonging, painted: Seed) -> None:
    few = torch.zeros_like(painted.mask)
    row, column = (int(places.float().mean()) for places in painted.mask.nonzero(as_tuple=True))
    few[row : row + 4, column : column + 4] = 1
    assert replace(belonging, seeds=[replace(painted, mask=few)])._counts() < 0.1 * belonging._counts()


def test_what_was_found_tells_less_than_what_was_painted(belonging: Belonging, painted: Seed) -> None:
    sure, unsure = (replace(belonging, seeds=[replace(painted, confidence=each)]) for each in (0.99, 0.3))
    assert unsure._counts() < 0.4 * sure._counts() < 0.4 * belonging._counts()


def test_it_is_there_where_it_is_known_to_be(belonging: Belonging, leaking: Tensor) -> None:
    """A gap between two parts would be an end, and what lies beyond it left as it is."""
    first, last = (int(each) for each in leaking.flatten(1).any(1).nonzero().flatten()[[0, -1]])
    gap = belonging.seeds[0].index - 3
    cut = leaking.clone()
    cut[gap] = 0
    beyond = slice(first, gap - 2)
    assert torch.equal(belonging.weighed(cut)[beyond], cut[beyond])
    assert not torch.equal(replace(belonging, known=(first, last)).weighed(cut)[beyond], cut[beyond])


def test_paint_too_small_for_a_pixel_leaves_all_as_it_is(belonging: Belonging, leaking: Tensor) -> None:
    faint = [replace(seed, mask=seed.mask * 0.1) for seed in belonging.seeds]
    nothing = torch.zeros_like(leaking)
    assert torch.equal(replace(belonging, seeds=faint).weighed(nothing), nothing)


def test_it_can_be_cancelled(belonging: Belonging, leaking: Tensor) -> None:
    def cancel() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        replace(belonging, check=cancel).weighed(leaking)
