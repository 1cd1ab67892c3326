"""Prototypes of a painted slice."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.network.prototypes import PrototypeExtractor, Prototypes, spread, unit
from DPLSegmentLib.network.similarity import score


def test_prototypes_have_unit_length_and_no_more_than_their_caps(prototypes: Prototypes) -> None:
    extract = PrototypeExtractor()
    assert 2 <= len(prototypes.foreground) <= 2 + extract.local
    assert 2 < len(prototypes.background) <= 2 + extract.near + extract.far
    for vectors in (prototypes.foreground, prototypes.background):
        torch.testing.assert_close(vectors.square().mean(1).sqrt(), torch.ones(len(vectors)), atol=1e-4, rtol=0)


def test_the_first_prototype_is_the_mean_over_the_painted_region(
    features: Tensor, small_masks: Tensor, prototypes: Prototypes
) -> None:
    mean = (features[0] * small_masks[0]).sum((1, 2)) / small_masks[0].sum()
    torch.testing.assert_close(prototypes.foreground[0], unit(mean), atol=1e-4, rtol=1e-4)


def test_prototypes_tell_the_kidney_from_its_surroundings(
    features: Tensor, small_masks: Tensor, prototypes: Prototypes
) -> None:
    probability = score(features[:1], prototypes.foreground, prototypes.background).probability[0]
    inside, outside = small_masks[0] > 0.9, small_masks[0] < 0.1
    assert float(probability[inside].mean()) > float(probability[outside].mean()) + 0.3


def test_scores_are_cosines(features: Tensor, prototypes: Prototypes) -> None:
    scores = score(features, prototypes.foreground, prototypes.background)
    assert scores.foreground.shape == (len(features), *features.shape[-2:])
    for cosine in (scores.foreground, scores.background):
        assert float(cosine.min()) >= -1.001 and float(cosine.max()) <= 1.001
    assert torch.equal(scores.probability, scores.logit.sigmoid())


def test_the_score_of_one_prototype_is_its_cosine(features: Tensor, prototypes: Prototypes) -> None:
    scores = score(features, prototypes.foreground[:1], prototypes.background[:1])
    wanted = functional.cosine_similarity(features, prototypes.foreground[0][None, :, None, None])
    torch.testing.assert_close(scores.foreground, wanted, atol=1e-5, rtol=1e-4)


def test_the_length_of_a_prototype_does_not_matter(features: Tensor, prototypes: Prototypes) -> None:
    once = score(features, prototypes.foreground, prototypes.background)
    longer = score(features, 7 * prototypes.foreground, prototypes.background)
    torch.testing.assert_close(once.foreground, longer.foreground, atol=1e-5, rtol=1e-5)


def test_nothing_painted_is_refused(features: Tensor) -> None:
    with pytest.raises(ValueError, match="Nothing is painted"):
        PrototypeExtractor()(features[0], torch.zeros(features.shape[-2:]))


def test_a_structure_of_one_pixel_or_of_the_whole_slice_has_finite_prototypes(features: Tensor) -> None:
    single, whole = torch.zeros(features.shape[-2:]), torch.ones(features.shape[-2:])
    single[5, 7] = 1
    for mask in (single, whole):
        found = PrototypeExtractor()(features[0], mask)
        assert all(bool(part.isfinite().all()) for part in (found.foreground, found.background, found.geometry))


@given(st.integers(0, 60), st.integers(1, 20))
def test_spread_keeps_order_and_both_ends_and_never_exceeds_its_cap(count: int, most: int) -> None:
    chosen = spread(torch.arange(count, dtype=torch.float32)[:, None], most).flatten().tolist()
    assert len(chosen) == min(count, most)
    assert chosen == sorted(set(chosen))
    if count > most > 1:
        assert chosen[0] == 0 and chosen[-1] == count - 1
