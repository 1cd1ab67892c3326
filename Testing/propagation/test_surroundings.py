"""Where the surroundings of what was painted are in another scan."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.fields import SIDE, STEP_MM, fields_of
from DPLSegmentLib.propagation.surroundings import Surroundings, surroundings_of
from DPLSegmentLib.propagation.types import Support

_HEIGHT = 20


@pytest.fixture(scope="module")
def fields() -> Tensor:
    """Of a scan of 200 mm that changes smoothly in all three directions."""
    noise = torch.randn(1, 12, 10, 6, 6, generator=torch.Generator().manual_seed(5))
    smooth = functional.interpolate(noise, (40, SIDE, SIDE), mode="trilinear")
    return smooth[0].movedim(1, 0).half()


@pytest.fixture(scope="module")
def surroundings(fields: Tensor) -> Surroundings:
    """Of something in the middle of the body, half way up."""
    place = torch.zeros(32, 32)
    place[14:18, 14:18] = 1
    return surroundings_of(fields, _HEIGHT * STEP_MM, place)


@given(st.integers(-15, 15), st.integers(-3, 3), st.integers(-3, 3))
@settings(max_examples=25, deadline=None)
def test_what_lies_higher_or_further_to_a_side_is_found_there(
    fields: Tensor, surroundings: Surroundings, higher: int, down: int, right: int
) -> None:
    moved = fields.roll((higher, down, right), (0, 2, 3))
    assert surroundings.found_in(moved) == (_HEIGHT + higher) * STEP_MM


def test_what_is_far_from_the_paint_counts_little(fields: Tensor, surroundings: Surroundings) -> None:
    other = fields.clone()
    other[:, :, :4] = fields.flip(0)[:, :, :4]
    assert surroundings.found_in(other) == _HEIGHT * STEP_MM


def test_of_a_scan_of_one_slice_they_are_there(fields: Tensor, surroundings: Surroundings) -> None:
    assert surroundings.found_in(fields[:1]) == 0


def test_what_was_painted_is_expected_where_it_is_in_the_same_scan(
    engine: Engine, kidney_embedding: Embedding, kidney_support: Support
) -> None:
    painted = kidney_support.painted.segments[0].mask
    height = int(painted.sum((1, 2)).argmax()) * kidney_embedding.stack.gap_mm
    around = engine.prototypes([kidney_support]).structures[0].surroundings
    assert around and abs(around.found_in(kidney_embedding.fields) - height) <= STEP_MM


def test_fields_are_means_of_the_embedding_every_five_mm(engine: Engine, liver_ct: Volume) -> None:
    embedding = engine.embed(liver_ct)
    fields = fields_of(embedding)
    assert fields.shape == (int(46 * embedding.stack.gap_mm / STEP_MM), embedding.features.shape[1], SIDE, SIDE)
    assert abs(float(fields.float().mean())) < 0.3
