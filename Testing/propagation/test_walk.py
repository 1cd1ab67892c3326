"""The walk over grey values that settles a sweep in 3D."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.settle import SettleOptions, settle
from DPLSegmentLib.propagation.walk import WalkOptions, guided_walk

CUBIC = (1.0, 1.0, 1.0)


@pytest.fixture
def two_halves() -> Tensor:
    """Slices that are dark on the left and bright on the right."""
    image = torch.zeros(6, 10, 12)
    image[..., 6:] = 0.6
    return image


@pytest.fixture
def one_known_slice(two_halves: Tensor) -> tuple[Tensor, Tensor]:
    """Prior and certainty: the bright half is known on the first slice, nothing elsewhere."""
    prior, certainty = torch.full(two_halves.shape, 0.5), torch.zeros(two_halves.shape)
    prior[0] = (two_halves[0] > 0.3).float()
    certainty[0] = 1e4
    return prior, certainty


def test_what_is_known_on_one_slice_walks_along_equal_grey_values(
    two_halves: Tensor, one_known_slice: tuple[Tensor, Tensor]
) -> None:
    walked = guided_walk(two_halves, *one_known_slice, CUBIC, WalkOptions(iterations=200))
    assert torch.equal(walked > 0.5, two_halves > 0.3)


def test_a_certain_voxel_keeps_its_value(two_halves: Tensor, one_known_slice: tuple[Tensor, Tensor]) -> None:
    walked = guided_walk(two_halves, *one_known_slice, CUBIC, WalkOptions())
    torch.testing.assert_close(walked[0], one_known_slice[0][0], atol=1e-2, rtol=0)


def test_probabilities_stay_between_zero_and_one() -> None:
    generator = torch.Generator().manual_seed(0)
    image, prior, certainty = (torch.rand(5, 9, 7, generator=generator) for _ in range(3))
    walked = guided_walk(image, prior, certainty, (5.0, 1.0, 1.0), WalkOptions(iterations=5))
    assert float(walked.min()) >= 0 and float(walked.max()) <= 1


def test_a_strong_hold_leaves_the_prior_as_it_is() -> None:
    prior = torch.rand(4, 6, 6, generator=torch.Generator().manual_seed(1))
    walked = guided_walk(torch.zeros(4, 6, 6), prior, torch.ones(4, 6, 6), CUBIC, WalkOptions(hold=1e5))
    torch.testing.assert_close(walked, prior, atol=1e-3, rtol=0)


def test_painted_slices_are_not_settled(kidney_embedding: Embedding) -> None:
    mask = torch.zeros(kidney_embedding.images.shape[1:])
    mask[8:40, 8:40] = 1
    probability = mask.expand(kidney_embedding.count, -1, -1).half() * 0.7
    confidence = torch.full((kidney_embedding.count,), 0.5)
    settled = settle(probability, confidence, kidney_embedding, {2: mask}, SettleOptions())
    assert torch.equal(settled[2].float(), mask)
    assert settled.shape == probability.shape and not torch.equal(settled, probability)


def test_settling_can_be_switched_off(kidney_embedding: Embedding) -> None:
    probability = torch.rand(kidney_embedding.images.shape).half()
    confidence = torch.ones(kidney_embedding.count)
    assert settle(probability, confidence, kidney_embedding, {}, SettleOptions(enabled=False)) is probability
