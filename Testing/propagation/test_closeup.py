"""Thin painted structures are looked at through smaller working pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.propagation.cache import EmbeddingCache
from DPLSegmentLib.propagation.closeup import CloseUp, close_up
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.painted import PaintedSlice, painted_slices
from DPLSegmentLib.propagation.types import Support

Paint = Callable[..., Support]


@pytest.fixture(scope="module")
def fine_ct(ct: Volume) -> Volume:
    """Twelve slices of the bundled CT with voxels of 1.5 mm in plane, as most scanners make them."""
    finer = ct.ijk_to_ras @ np.diag([0.5, 0.5, 1, 1])
    return Volume(ct.array[66:78].repeat(2, 1).repeat(2, 2), finer, "fine")


@pytest.fixture(scope="module")
def embedding(engine: Engine, fine_ct: Volume) -> Embedding:
    """That scan, embedded along z."""
    return engine.embed(fine_ct)


@pytest.fixture
def speck(fine_ct: Volume, paint: Paint) -> Support:
    """A structure of 9 by 6 mm on one slice."""
    mask = np.zeros(fine_ct.shape, bool)
    mask[5, 90:94, 120:126] = True
    return paint(fine_ct, mask)


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
    assert top <= 80 and left <= 110 and bottom >= 104 and right >= 136


def test_a_thick_structure_is_seen_as_it_is(fine_ct: Volume, embedding: Embedding, paint: Paint) -> None:
    mask = np.zeros(fine_ct.shape, bool)
    mask[5, 90:110, 120:140] = True
    assert close_up(painted(paint(fine_ct, mask), embedding), embedding) is None


def test_a_long_thin_structure_is_seen_closely_however_large_it_is(
    fine_ct: Volume, embedding: Embedding, paint: Paint
) -> None:
    mask = np.zeros(fine_ct.shape, bool)
    mask[5, 90:93, 60:180] = True
    box = closer(paint(fine_ct, mask), embedding).box
    assert box[1] <= 60 and box[3] >= 180


def test_a_coarse_scan_has_nothing_more_to_show(engine: Engine, liver_ct: Volume, paint: Paint) -> None:
    mask, seen = np.zeros(liver_ct.shape, bool), engine.embed(liver_ct)
    mask[20, 30:32, 40:42] = True
    assert close_up(painted(paint(liver_ct, mask), seen), seen) is None


def test_what_is_painted_next_to_it_later_is_seen_through_the_same_window(
    speck: Support, fine_ct: Volume, embedding: Embedding, paint: Paint
) -> None:
    mask = speck.region.copy()
    mask[8, 91:95, 120:126] = True
    assert closer(paint(fine_ct, mask, slices=[5, 8]), embedding) == closer(speck, embedding)


def test_a_close_up_never_leaves_the_part_that_is_embedded(fine_ct: Volume, embedding: Embedding, paint: Paint) -> None:
    top, left, bottom, right = embedding.stack.box
    for row, column in ((top, left), (top, right - 3), (bottom - 3, left), (bottom - 3, right - 3)):
        mask = np.zeros(fine_ct.shape, bool)
        mask[5, row : row + 3, column : column + 3] = True
        box = closer(paint(fine_ct, mask), embedding).box
        assert top <= box[0] <= row and left <= box[1] <= column
        assert row + 3 <= box[2] <= bottom and column + 3 <= box[3] <= right


def test_the_result_lies_on_the_scan_and_keeps_the_paint(engine: Engine, speck: Support, fine_ct: Volume) -> None:
    found = engine.propagate([speck], fine_ct).segmentation.segments[0].mask
    assert found.shape == fine_ct.shape
    np.testing.assert_array_equal(found[5], speck.region[5])


def test_what_is_seen_through_fine_pixels_is_settled_on_them(engine: Engine, speck: Support, fine_ct: Volume) -> None:
    finest = replace(engine.options, settle=replace(engine.options.settle, pixel_mm=0.1))
    usual, fine = (each.propagate([speck], fine_ct).confidence for each in (engine, engine.with_options(finest)))
    assert usual.array.any()
    np.testing.assert_array_equal(usual.array, fine.array)


def test_the_same_place_is_embedded_once(engine: Engine, speck: Support, fine_ct: Volume) -> None:
    stages: list[str] = []
    engine.propagate([speck], fine_ct)
    engine.propagate([speck], fine_ct, on_progress=lambda progress: stages.append(progress.stage))
    assert "sweep" in stages and "embed" not in stages


def test_the_switch_turns_it_off(engine: Engine, speck: Support, fine_ct: Volume) -> None:
    plain = engine.with_options(replace(engine.options, close_up=False))
    plain.cache = EmbeddingCache()
    plain.embed(fine_ct)
    size = plain.cache.nbytes
    plain.propagate([speck], fine_ct)
    assert plain.cache.nbytes == size
