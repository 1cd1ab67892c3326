"""A structure looked for in a scan on which nothing is painted: which slice, and how large."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from torch import Tensor

from DPLSegmentLib.images.volume import Volume
from DPLSegmentLib.network.config import STRIDE
from DPLSegmentLib.propagation.body import body_box, from_body
from DPLSegmentLib.propagation.embedding import Embedding
from DPLSegmentLib.propagation.engine import Engine
from DPLSegmentLib.propagation.prototype_set import Section
from DPLSegmentLib.propagation.search import Search
from DPLSegmentLib.propagation.steps import DecoderStep
from DPLSegmentLib.propagation.sweep import Seed, SweepRange
from DPLSegmentLib.propagation.types import Support

Find = Callable[[float], Seed]
_THROUGH = 28


@pytest.fixture(scope="module")
def section(engine: Engine, kidney_ct: Volume, kidney_mask: np.ndarray, paint: Callable[..., Support]) -> Section:
    """The painted slice of the kidney."""
    return engine.prototypes([paint(kidney_ct, kidney_mask)]).structures[0].whole


@pytest.fixture(scope="module")
def scan(engine: Engine, other_ct: Volume) -> Embedding:
    """The scan of another patient."""
    return engine.embed(other_ct)


@pytest.fixture(scope="module")
def finder(engine: Engine, section: Section) -> DecoderStep:
    """Looks for the kidney."""
    return DecoderStep(engine.network, section.prototypes)


@pytest.fixture(scope="module")
def prior(section: Section, scan: Embedding) -> Tensor:
    """Where in the other body the kidney was painted."""
    return from_body(section.place, body_box(scan.images), STRIDE, scan.features.shape[-2:])


@pytest.fixture
def find(finder: DecoderStep, scan: Embedding, prior: Tensor, section: Section) -> Find:
    """On a slice through the kidney, where an area in working pixels is expected."""

    def find(area: float) -> Seed:
        expected = replace(section, area_mm2=area * scan.stack.pixel_mm**2)
        search = Search(finder, scan, prior, expected, None)
        seed = search.seed(SweepRange(_THROUGH, _THROUGH), lambda index: None)
        assert seed is not None
        return seed

    return find


def test_what_is_found_as_large_as_expected_is_what_the_network_is_sure_of(
    find: Find, finder: DecoderStep, scan: Embedding, prior: Tensor
) -> None:
    seed = find(400)
    assert float(seed.mask.sum()) >= 400
    assert float(finder.find(scan, seed.index, prior).probability[seed.mask > 0].min()) > 0.5


@pytest.mark.parametrize("expected", [850, 900])
def test_what_is_found_too_small_is_filled_up_to_the_expected_area(
    find: Find, finder: DecoderStep, scan: Embedding, prior: Tensor, expected: int
) -> None:
    seed = find(expected)
    sure = finder.find(scan, seed.index, prior).probability > 0.5
    assert 0.9 * expected <= float(seed.mask.sum()) <= 1.1 * expected
    assert float(seed.mask[~sure].sum()) > 20


def test_what_is_filled_in_hangs_together(find: Find) -> None:
    assert ndimage.label(find(900).mask.numpy())[1] == 1


def test_what_is_as_ragged_as_the_paint_fits_best(
    finder: DecoderStep, scan: Embedding, prior: Tensor, section: Section
) -> None:
    assert section.ragged is not None
    alike = _fit(Search(finder, scan, prior, section, None))
    fits = [_fit(Search(finder, scan, prior, replace(section, ragged=section.ragged + more), None)) for more in (1, 2)]
    untold = _fit(Search(finder, scan, prior, replace(section, ragged=None), None))
    assert untold >= alike > fits[0] > fits[1] > 0


def test_slices_fit_less_the_further_they_are_from_the_expected_height(
    finder: DecoderStep, scan: Embedding, prior: Tensor, section: Section
) -> None:
    height = _THROUGH * scan.stack.gap_mm
    fits = [_fit(Search(finder, scan, prior, section, height + away)) for away in (0, 20, 40, 80, 200)]
    assert fits == sorted(fits, reverse=True) and fits[-1] > 0


def _fit(search: Search) -> float:
    """Of the slice through the kidney."""
    return search._look(_THROUGH, lambda index: None).fit
