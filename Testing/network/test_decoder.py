"""What the decoder is shown, and what it gives back."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.checkpoint import Model
from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.network.decoder import CUES, IMAGES, Evidence
from DPLSegmentLib.network.evidence import LastSlice, Memory, assemble, location_prior, shrink
from DPLSegmentLib.network.likelihood import grey_table, looked_up
from DPLSegmentLib.network.network import SegmentationNetwork
from DPLSegmentLib.network.prototypes import Prototypes
from DPLSegmentLib.network.similarity import Scores, score

GAP = 6.0
WAY = 32.0


@pytest.fixture
def scores(features: Tensor, prototypes: Prototypes) -> Scores:
    """Scores of the second slice."""
    return score(features[1:2], prototypes.foreground, prototypes.background)


@pytest.fixture
def prior(small_masks: Tensor) -> Tensor:
    """Where the kidney is expected, [1, h, w]."""
    return location_prior(small_masks[:1])


@pytest.fixture
def last(slices: Tensor, masks: Tensor, small_masks: Tensor) -> LastSlice:
    """The first slice; its mask is carried without change."""
    memory = Memory(grey_table(slices[1], masks[1:2]), small_masks[:1] / 4, torch.tensor([WAY]))
    return LastSlice(slices[0], masks[:1], small_masks[:1] / 2, memory)


@pytest.fixture
def following(slices: Tensor, features: Tensor, scores: Scores, prior: Tensor, last: LastSlice) -> Evidence:
    """Evidence on the second slice of a sweep."""
    return assemble(slices[1], features[1], scores, prior, GAP, last)


@pytest.fixture
def searching(slices: Tensor, features: Tensor, scores: Scores, prior: Tensor) -> Evidence:
    """Evidence on the second slice of a search."""
    return assemble(slices[1], features[1], scores, prior, GAP, None)


def test_cues_come_in_their_order(
    following: Evidence, scores: Scores, prior: Tensor, last: LastSlice, small_masks: Tensor
) -> None:
    cues = following.cues[0]
    wanted = [scores.foreground, scores.background, scores.probability, last.carried, small_masks[:1], prior]
    assert len(cues) == CUES == len(wanted) + 4
    for cue, expected in zip(cues, wanted, strict=False):
        assert torch.equal(cue, expected[0])
    assert bool((cues[6] == GAP / 8).all()) and bool((cues[7] == 0).all())
    assert torch.equal(cues[8], small_masks[0] / 4) and bool((cues[9] == WAY / 64).all())


def test_images_come_in_their_order(following: Evidence, slices: Tensor, masks: Tensor) -> None:
    assert following.images.shape[1] == IMAGES
    ratio = looked_up(grey_table(slices[0], masks[:1]), slices[1])[0]
    known = looked_up(grey_table(slices[1], masks[1:2]), slices[1])[0]
    assert torch.equal(following.images[0], torch.stack([slices[1], slices[0], masks[0], ratio, known]))


def test_without_a_last_slice_its_places_are_empty_and_that_is_said(searching: Evidence, slices: Tensor) -> None:
    assert torch.equal(searching.images[0, 0], slices[1])
    assert not searching.images[0, 1:].any()
    assert not searching.cues[0, 3:5].any() and not searching.cues[0, 8:].any()
    assert bool((searching.cues[0, 7] == 1).all())


@given(st.floats(0, 1000))
def test_the_gap_is_a_cue_that_does_not_grow_without_bound(gap: float) -> None:
    flat = torch.zeros(1, 4, 4)
    evidence = assemble(torch.zeros(16, 16), torch.zeros(2, 4, 4), Scores(flat, flat), flat, gap, None)
    assert 0 <= float(evidence.cues[0, 6].max()) <= 2


def test_before_training_the_carried_mask_is_returned(
    untrained: SegmentationNetwork, following: Evidence, small_masks: Tensor
) -> None:
    logits, _ = untrained.decoder(following)
    carried = functional.interpolate(small_masks[:1, None] / 2, scale_factor=4.0, mode="bilinear")[:, 0]
    assert float(logits[carried < 0.01].sigmoid().mean()) < 0.1 < 0.3 < float(logits[carried > 0.45].sigmoid().mean())


def test_before_training_a_search_returns_where_the_prototypes_score(
    untrained: SegmentationNetwork, searching: Evidence
) -> None:
    logits, _ = untrained.decoder(searching)
    score, found = searching.cues[0, 2].flatten(), shrink(logits)[0].flatten()
    assert float(torch.corrcoef(torch.stack([score, found]))[0, 1]) > 0.8


def test_structures_are_decoded_each_for_itself(model: Model, following: Evidence, searching: Evidence) -> None:
    both = Evidence(
        torch.cat([following.images, searching.images]),
        torch.cat([following.features, searching.features]),
        torch.cat([following.cues, searching.cues]),
    )
    logits, presence = model.network.decoder(both)
    assert logits.shape == (2, *following.images.shape[-2:]) and presence.shape == (2,)
    for number, single in enumerate((following, searching)):
        alone, there = model.network.decoder(single)
        torch.testing.assert_close(logits[number], alone[0], atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(presence[number], there[0], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("size", [(32, 32), (64, 160), (160, 32)])
def test_masks_have_the_size_of_the_slice(model: Model, size: tuple[int, int]) -> None:
    small = (size[0] // STRIDE, size[1] // STRIDE)
    channels = model.network.config.channels
    evidence = Evidence(torch.zeros(1, IMAGES, *size), torch.zeros(1, channels, *small), torch.zeros(1, CUES, *small))
    assert model.network.decoder(evidence)[0].shape == (1, *size)


def test_shrinking_keeps_the_area(masks: Tensor) -> None:
    small = shrink(masks)
    assert small.shape == (len(masks), masks.shape[1] // STRIDE, masks.shape[2] // STRIDE)
    torch.testing.assert_close(small.sum((1, 2)) * STRIDE**2, masks.sum((1, 2)))


def test_the_location_prior_is_highest_where_the_structure_was_painted(small_masks: Tensor) -> None:
    prior = location_prior(small_masks)
    assert prior.shape == small_masks.shape
    assert float(prior.min()) >= 0 and float(prior.max()) <= 1.0001
    for place, mask in zip(prior, small_masks, strict=True):
        assert float(place[mask > 0.5].mean()) > 0.8 > 0.3 > float(place[mask == 0].mean())


@given(st.integers(0, 30), st.integers(0, 40))
def test_the_prior_of_a_single_pixel_surrounds_it(row: int, column: int) -> None:
    mask = torch.zeros(1, 31, 41)
    mask[0, row, column] = 1
    prior = location_prior(mask)[0]
    assert float(prior[row, column]) > 0.8
    assert float(prior[(row + 20) % 31 if row < 11 else row - 11, column]) < float(prior[row, column])


def test_the_prior_of_nothing_is_nothing() -> None:
    assert not location_prior(torch.zeros(2, 8, 8)).any()
