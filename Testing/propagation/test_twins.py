"""Where a sweep has gone on into something that looks like its painted slice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.sweep import Seed
from DPLSegmentLib.propagation.twins import before_twins, gap_in
from DPLSegmentLib.propagation.types import Cancelled, Support

BODY, DISC = 0.5, 0.4
FIRST, LAST = 65, 79


@pytest.fixture(scope="session")
def painted_vertebra(ct: Volume) -> np.ndarray:
    """The third lumbar vertebra of the bundled CT on its largest slice: the bone within a box around it."""
    painted = np.zeros(ct.array.shape, bool)
    bone = ct.array[76, 29:51, 43:77] > 130
    pieces, _ = ndimage.label(ndimage.binary_fill_holes(ndimage.binary_closing(bone, iterations=2)))
    painted[76, 29:51, 43:77] = pieces == 1 + np.bincount(pieces.ravel())[1:].argmax()
    return painted


def test_a_painted_vertebra_ends_at_its_discs(
    engine: Engine, ct: Volume, painted_vertebra: np.ndarray, paint: Callable[..., Support]
) -> None:
    result = engine.propagate([paint(ct, painted_vertebra)], ct).segmentation.segments[0].mask
    slices = result.any((1, 2)).nonzero()[0]
    assert FIRST - 2 <= slices[0] <= FIRST + 5 and LAST - 2 <= slices[-1] <= LAST + 2


def stop() -> None:
    """What is asked before each slice that is looked at."""
    raise Cancelled


def test_what_is_small_is_followed_past_a_gap(kidney_embedding: Embedding) -> None:
    probability = torch.zeros(kidney_embedding.images.shape)
    probability[:, 8:24, 8:24] = 1.0
    assert before_twins(probability, [Seed(10, probability[10])], kidney_embedding, stop).all()


def test_nothing_is_asked_of_a_sweep_without_a_seed(kidney_embedding: Embedding) -> None:
    assert before_twins(torch.zeros(kidney_embedding.images.shape), [], kidney_embedding, lambda: None).all()


def test_it_can_be_cancelled(kidney_embedding: Embedding) -> None:
    probability = torch.ones(kidney_embedding.images.shape)
    with pytest.raises(Cancelled):
        before_twins(probability, [Seed(10, probability[10])], kidney_embedding, stop)


def gap(alike: list[float], greys: list[float], gap_mm: float = 3.0) -> int | None:
    """The same with lists."""
    return gap_in(torch.tensor(alike), torch.tensor(greys), gap_mm)


def test_what_looks_otherwise_between_two_that_look_the_same_is_a_gap() -> None:
    assert gap([1.0, 0.97, 0.9, 0.82, 0.93, 0.96], [BODY, BODY, DISC, DISC, BODY, BODY]) == 3


def test_what_never_looks_the_same_again_is_no_gap() -> None:
    assert gap([1.0, 0.9, 0.8, 0.7, 0.65, 0.64], [BODY, BODY, DISC, DISC, DISC, DISC]) is None


def test_what_is_as_bright_throughout_is_no_gap() -> None:
    assert gap([1.0, 0.97, 0.8, 0.97, 0.98], [BODY] * 5) is None


def test_what_looks_the_same_throughout_is_no_gap() -> None:
    assert gap([1.0, 0.98, 0.97, 0.98, 0.97], [BODY, BODY, DISC, BODY, BODY]) is None


def test_what_looks_the_same_again_only_far_away_is_no_gap() -> None:
    alike, greys = [1.0, *[0.8] * 15, 1.0, 1.0], [BODY, *[DISC] * 15, BODY, BODY]
    assert gap(alike, greys, 3.0) is None
    assert gap(alike, greys, 1.0) is not None


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1)), min_size=1, max_size=30), st.floats(0.5, 30))
def test_neither_the_seed_nor_what_a_sweep_ends_with_is_a_gap(looks: list[tuple[float, float]], gap_mm: float) -> None:
    alike, greys = zip(*looks, strict=True)
    found = gap([1.0, *alike], [greys[0], *greys], gap_mm)
    assert found is None or 0 < found <= len(looks)
