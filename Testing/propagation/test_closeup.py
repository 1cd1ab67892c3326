"""Small painted structures are looked at through smaller working pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from DPLSegmentLib.images.segmentation import Segmentation
from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.cache import EmbeddingCache
from DPLSegmentLib.propagation.closeup import CloseUp, close_up
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.painted import PaintedSlice, painted_slices
from DPLSegmentLib.propagation.types import Support

Paint = Callable[..., Support]


@pytest.fixture(scope="module")
def embedding(engine: Engine, liver_ct: Volume) -> Embedding:
    """46 slices of the bundled CT, embedded along z."""
    return engine.embed(liver_ct)


@pytest.fixture
def speck(liver_ct: Volume, paint: Paint) -> Support:
    """A structure of 9 by 9 mm on one slice."""
    mask = np.zeros(liver_ct.shape, bool)
    mask[20, 30:33, 40:43] = True
    return paint(liver_ct, mask)


def painted(support: Support, embedding: Embedding) -> list[PaintedSlice]:
    """Its slices as the engine sees them."""
    return painted_slices(support.painted.segments[0], 0, embedding)


def closer(support: Support, embedding: Embedding) -> CloseUp:
    """How closely it is looked at; it has to be."""
    found = close_up(painted(support, embedding), embedding)
    assert found
    return found


def test_a_small_structure_is_seen_twice_as_closely_with_what_is_around_it(
    speck: Support, embedding: Embedding
) -> None:
    close = closer(speck, embedding)
    top, left, bottom, right = close.box
    assert close.pixel_mm == pytest.approx(embedding.stack.pixel_mm / 2)
    assert top <= 26 and left <= 36 and bottom >= 37 and right >= 47


def test_a_large_structure_is_seen_as_it_is(
    liver_ct: Volume, liver_truth: Segmentation, embedding: Embedding, paint: Paint
) -> None:
    liver = next(segment.mask for segment in liver_truth.segments if segment.name == "liver")
    assert close_up(painted(paint(liver_ct, liver), embedding), embedding) is None


def test_what_is_painted_next_to_it_later_is_seen_through_the_same_window(
    speck: Support, liver_ct: Volume, embedding: Embedding, paint: Paint
) -> None:
    mask = speck.region.copy()
    mask[24, 31:34, 40:43] = True
    assert closer(paint(liver_ct, mask, slices=[20, 24]), embedding) == closer(speck, embedding)


def test_a_close_up_never_leaves_the_part_that_is_embedded(
    liver_ct: Volume, embedding: Embedding, paint: Paint
) -> None:
    top, left, bottom, right = embedding.stack.box
    for row, column in ((top, left), (top, right - 3), (bottom - 3, left), (bottom - 3, right - 3)):
        mask = np.zeros(liver_ct.shape, bool)
        mask[20, row : row + 3, column : column + 3] = True
        box = closer(paint(liver_ct, mask), embedding).box
        assert top <= box[0] <= row and left <= box[1] <= column
        assert row + 3 <= box[2] <= bottom and column + 3 <= box[3] <= right


def test_the_result_lies_on_the_scan_and_keeps_the_paint(engine: Engine, speck: Support, liver_ct: Volume) -> None:
    found = engine.propagate([speck], liver_ct).segmentation.segments[0].mask
    assert found.shape == liver_ct.shape
    np.testing.assert_array_equal(found[20], speck.region[20])


def test_the_same_place_is_embedded_once(engine: Engine, speck: Support, liver_ct: Volume) -> None:
    stages: list[str] = []
    engine.propagate([speck], liver_ct)
    engine.propagate([speck], liver_ct, on_progress=lambda progress: stages.append(progress.stage))
    assert "sweep" in stages and "embed" not in stages


def test_the_switch_turns_it_off(engine: Engine, speck: Support, liver_ct: Volume) -> None:
    plain = engine.with_options(replace(engine.options, close_up=False))
    plain.cache = EmbeddingCache()
    plain.embed(liver_ct)
    size = plain.cache.nbytes
    plain.propagate([speck], liver_ct)
    assert plain.cache.nbytes == size
